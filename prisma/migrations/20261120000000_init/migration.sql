-- CreateEnum
CREATE TYPE "product_status" AS ENUM ('DRAFT', 'ACTIVE', 'ARCHIVED');

-- CreateEnum
CREATE TYPE "stock_movement_reason" AS ENUM ('INITIAL', 'RESTOCK', 'CORRECTION', 'DAMAGE', 'RETURN', 'HOLD', 'RELEASE', 'SALE', 'CANCELLATION', 'SYNC');

-- CreateEnum
CREATE TYPE "cart_status" AS ENUM ('ACTIVE', 'EXPIRED', 'CHECKED_OUT', 'MERGED');

-- CreateEnum
CREATE TYPE "order_status" AS ENUM ('PLACED', 'FULFILLED', 'DELIVERED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "payment_status" AS ENUM ('PENDING', 'PAID', 'REFUNDED');

-- By hand: order numbers begin at 1001
CREATE SEQUENCE "order_number_seq" START WITH 1001;

-- By hand: accents do not matter in search and in the order of titles
CREATE EXTENSION IF NOT EXISTS unaccent;

-- CreateTable
CREATE TABLE "categories" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "categories_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "products" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "vendor" TEXT,
    "tags" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "status" "product_status" NOT NULL DEFAULT 'ACTIVE',
    "category_id" UUID,
    "images" JSONB NOT NULL DEFAULT '[]',
    "sort_title" TEXT NOT NULL DEFAULT '',
    "min_price_minor" INTEGER,
    "max_price_minor" INTEGER,
    "search" tsvector,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "products_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "product_variants" (
    "id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "sku" TEXT NOT NULL,
    "selected_options" JSONB NOT NULL DEFAULT '[]',
    "price_minor" INTEGER NOT NULL,
    "compare_at_minor" INTEGER,
    "on_hand" INTEGER NOT NULL DEFAULT 0,
    "held" INTEGER NOT NULL DEFAULT 0,
    "available" INTEGER NOT NULL GENERATED ALWAYS AS ("on_hand" - "held") STORED,
    "low_stock_threshold" INTEGER NOT NULL,
    "position" INTEGER NOT NULL DEFAULT 0,
    "archived_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "product_variants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stock_movements" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "variant_id" UUID NOT NULL,
    "reason" "stock_movement_reason" NOT NULL,
    "on_hand_delta" INTEGER NOT NULL,
    "held_delta" INTEGER NOT NULL,
    "on_hand_after" INTEGER NOT NULL,
    "held_after" INTEGER NOT NULL,
    "cart_id" UUID,
    "order_id" UUID,
    "note" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "stock_movements_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "guests" (
    "id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "guests_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "carts" (
    "id" UUID NOT NULL,
    "guest_id" UUID NOT NULL,
    "status" "cart_status" NOT NULL DEFAULT 'ACTIVE',
    "email" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "hold_started_at" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "carts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cart_lines" (
    "id" UUID NOT NULL,
    "cart_id" UUID NOT NULL,
    "variant_id" UUID NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price_minor" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "cart_lines_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" UUID NOT NULL,
    "number" BIGINT NOT NULL DEFAULT nextval('order_number_seq'::regclass),
    "guest_id" UUID NOT NULL,
    "cart_id" UUID NOT NULL,
    "status" "order_status" NOT NULL DEFAULT 'PLACED',
    "payment_status" "payment_status" NOT NULL DEFAULT 'PENDING',
    "email" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "subtotal_minor" BIGINT NOT NULL,
    "total_minor" BIGINT NOT NULL,
    "shipping_name" TEXT,
    "shipping_line1" TEXT,
    "shipping_line2" TEXT,
    "shipping_city" TEXT,
    "shipping_region" TEXT,
    "shipping_postal_code" TEXT,
    "shipping_country_code" CHAR(2),
    "idempotency_key" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "placed_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_lines" (
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "variant_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "sku" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price_minor" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "order_lines_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_status_changes" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "order_id" UUID NOT NULL,
    "from_status" "order_status",
    "to_status" "order_status" NOT NULL,
    "note" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "order_status_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_log" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "seq" BIGINT,
    "type" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "payload" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "event_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event_sequence" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "last" BIGINT NOT NULL DEFAULT 0,
    "pruned_through" BIGINT NOT NULL DEFAULT 0,
    "epoch" TEXT NOT NULL DEFAULT encode(substring(uuid_send(gen_random_uuid()) from 1 for 8), 'hex'),

    CONSTRAINT "event_sequence_pkey" PRIMARY KEY ("singleton")
);

-- CreateIndex
CREATE UNIQUE INDEX "categories_slug_key" ON "categories"("slug");

-- CreateIndex
CREATE INDEX "categories_name_id_idx" ON "categories"("name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "products_slug_key" ON "products"("slug");

-- CreateIndex
CREATE INDEX "products_created_at_id_idx" ON "products"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "products_sort_title_id_idx" ON "products"("sort_title", "id");

-- CreateIndex
CREATE INDEX "products_min_price_minor_id_idx" ON "products"("min_price_minor", "id");

-- CreateIndex
CREATE INDEX "products_category_id_created_at_id_idx" ON "products"("category_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "products_search_idx" ON "products" USING GIN ("search");

-- CreateIndex
CREATE INDEX "products_tags_idx" ON "products" USING GIN ("tags");

-- CreateIndex
CREATE UNIQUE INDEX "product_variants_sku_key" ON "product_variants"("sku");

-- CreateIndex
CREATE INDEX "product_variants_product_id_position_id_idx" ON "product_variants"("product_id", "position", "id");

-- CreateIndex
CREATE INDEX "stock_movements_variant_id_id_idx" ON "stock_movements"("variant_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "guests_token_hash_key" ON "guests"("token_hash");

-- CreateIndex
CREATE INDEX "carts_guest_id_idx" ON "carts"("guest_id");

-- CreateIndex
CREATE INDEX "cart_lines_variant_id_idx" ON "cart_lines"("variant_id");

-- CreateIndex
CREATE UNIQUE INDEX "cart_lines_cart_id_variant_id_unit_price_minor_key" ON "cart_lines"("cart_id", "variant_id", "unit_price_minor");

-- CreateIndex
CREATE UNIQUE INDEX "orders_number_key" ON "orders"("number");

-- CreateIndex
CREATE UNIQUE INDEX "orders_cart_id_key" ON "orders"("cart_id");

-- CreateIndex
CREATE INDEX "orders_placed_at_id_idx" ON "orders"("placed_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "orders_guest_id_idempotency_key_key" ON "orders"("guest_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "order_lines_variant_id_idx" ON "order_lines"("variant_id");

-- CreateIndex
CREATE UNIQUE INDEX "order_lines_order_id_position_key" ON "order_lines"("order_id", "position");

-- CreateIndex
CREATE INDEX "order_status_changes_order_id_id_idx" ON "order_status_changes"("order_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "event_log_seq_key" ON "event_log"("seq");

-- AddForeignKey
ALTER TABLE "products" ADD CONSTRAINT "products_category_id_fkey" FOREIGN KEY ("category_id") REFERENCES "categories"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_variants" ADD CONSTRAINT "product_variants_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stock_movements" ADD CONSTRAINT "stock_movements_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_guest_id_fkey" FOREIGN KEY ("guest_id") REFERENCES "guests"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cart_lines" ADD CONSTRAINT "cart_lines_cart_id_fkey" FOREIGN KEY ("cart_id") REFERENCES "carts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cart_lines" ADD CONSTRAINT "cart_lines_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_guest_id_fkey" FOREIGN KEY ("guest_id") REFERENCES "guests"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_cart_id_fkey" FOREIGN KEY ("cart_id") REFERENCES "carts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_status_changes" ADD CONSTRAINT "order_status_changes_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ================================================================ by hand: what Prisma's schema cannot say

ALTER SEQUENCE "order_number_seq" OWNED BY "orders"."number";

-- ---------------------------------------------------------------- rules that one row can express

ALTER TABLE "categories"
    ADD CONSTRAINT "categories_slug_check" CHECK ("slug" ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length("slug") <= 200),
    ADD CONSTRAINT "categories_name_check" CHECK (btrim("name") <> '' AND length("name") <= 200);

ALTER TABLE "products"
    ADD CONSTRAINT "products_slug_check" CHECK ("slug" ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length("slug") <= 200),
    ADD CONSTRAINT "products_title_check" CHECK (btrim("title") <> '' AND length("title") <= 300),
    ADD CONSTRAINT "products_tags_check" CHECK (array_position("tags", NULL) IS NULL AND cardinality("tags") <= 100),
    ADD CONSTRAINT "products_images_check" CHECK (jsonb_typeof("images") = 'array'),
    ADD CONSTRAINT "products_price_range_check" CHECK (("min_price_minor" IS NULL) = ("max_price_minor" IS NULL) AND "min_price_minor" <= "max_price_minor");

-- Stock: the database itself forbids the impossible. The cap keeps sums and deltas far from overflow.
ALTER TABLE "product_variants"
    ADD CONSTRAINT "product_variants_stock_check" CHECK ("held" >= 0 AND "held" <= "on_hand"),
    ADD CONSTRAINT "product_variants_on_hand_cap" CHECK ("on_hand" <= 1000000000),
    ADD CONSTRAINT "product_variants_sku_check" CHECK ("sku" <> '' AND btrim("sku") = "sku" AND length("sku") <= 100),
    ADD CONSTRAINT "product_variants_options_check" CHECK (jsonb_typeof("selected_options") = 'array'),
    ADD CONSTRAINT "product_variants_price_check" CHECK ("price_minor" >= 0 AND "compare_at_minor" > 0),
    ADD CONSTRAINT "product_variants_threshold_check" CHECK ("low_stock_threshold" >= 0),
    ADD CONSTRAINT "product_variants_position_check" CHECK ("position" >= 0);

ALTER TABLE "stock_movements"
    ADD CONSTRAINT "stock_movements_change_check" CHECK ("on_hand_delta" <> 0 OR "held_delta" <> 0),
    ADD CONSTRAINT "stock_movements_after_check" CHECK ("held_after" >= 0 AND "held_after" <= "on_hand_after"),
    ADD CONSTRAINT "stock_movements_reason_check" CHECK (CASE "reason"
        WHEN 'HOLD' THEN "on_hand_delta" = 0 AND "held_delta" > 0 AND "cart_id" IS NOT NULL
        WHEN 'RELEASE' THEN "on_hand_delta" = 0 AND "held_delta" < 0 AND "cart_id" IS NOT NULL
        WHEN 'SALE' THEN "on_hand_delta" < 0 AND "held_delta" = "on_hand_delta" AND "order_id" IS NOT NULL
        WHEN 'CANCELLATION' THEN "on_hand_delta" > 0 AND "held_delta" = 0 AND "order_id" IS NOT NULL
        WHEN 'INITIAL' THEN "on_hand_delta" > 0 AND "on_hand_after" = "on_hand_delta" AND "held_delta" = 0
        ELSE "held_delta" = 0
    END);

ALTER TABLE "guests"
    ADD CONSTRAINT "guests_token_hash_check" CHECK (octet_length("token_hash") = 32);

ALTER TABLE "carts"
    ADD CONSTRAINT "carts_version_check" CHECK ("version" >= 1),
    ADD CONSTRAINT "carts_hold_check" CHECK (("hold_started_at" IS NULL) = ("expires_at" IS NULL) AND "expires_at" > "hold_started_at"),
    ADD CONSTRAINT "carts_email_check" CHECK ("email" ~ '^[^[:space:][:cntrl:]]+@[^[:space:][:cntrl:]]+$' AND length("email") <= 254);

ALTER TABLE "cart_lines"
    ADD CONSTRAINT "cart_lines_quantity_check" CHECK ("quantity" > 0),
    ADD CONSTRAINT "cart_lines_price_check" CHECK ("unit_price_minor" >= 0),
    ADD CONSTRAINT "cart_lines_position_check" CHECK ("position" >= 0);

ALTER TABLE "orders"
    ADD CONSTRAINT "orders_totals_check" CHECK ("subtotal_minor" >= 0 AND "total_minor" >= 0),
    ADD CONSTRAINT "orders_currency_check" CHECK ("currency" ~ '^[A-Z]{3}$'),
    ADD CONSTRAINT "orders_email_check" CHECK ("email" ~ '^[^[:space:][:cntrl:]]+@[^[:space:][:cntrl:]]+$' AND length("email") <= 254),
    ADD CONSTRAINT "orders_key_check" CHECK ("idempotency_key" <> '' AND length("idempotency_key") <= 255 AND octet_length("request_hash") = 32),
    ADD CONSTRAINT "orders_shipping_check" CHECK (
        num_nonnulls("shipping_name", "shipping_line1", "shipping_city", "shipping_postal_code", "shipping_country_code") IN (0, 5)
        AND ("shipping_name" IS NOT NULL OR num_nonnulls("shipping_line2", "shipping_region") = 0)
        AND "shipping_country_code" ~ '^[A-Z]{2}$');

ALTER TABLE "order_lines"
    ADD CONSTRAINT "order_lines_quantity_check" CHECK ("quantity" > 0),
    ADD CONSTRAINT "order_lines_price_check" CHECK ("unit_price_minor" >= 0),
    ADD CONSTRAINT "order_lines_position_check" CHECK ("position" >= 0);

ALTER TABLE "order_status_changes"
    ADD CONSTRAINT "order_status_changes_change_check" CHECK ("from_status" IS DISTINCT FROM "to_status");

ALTER TABLE "event_log"
    ADD CONSTRAINT "event_log_seq_check" CHECK ("seq" > 0),
    ADD CONSTRAINT "event_log_type_check" CHECK ("type" ~ '^[a-z]+(_[a-z]+)*$'),
    ADD CONSTRAINT "event_log_payload_check" CHECK (jsonb_typeof("payload") = 'object');

ALTER TABLE "event_sequence"
    ADD CONSTRAINT "event_sequence_singleton_check" CHECK ("singleton"),
    ADD CONSTRAINT "event_sequence_bounds_check" CHECK ("pruned_through" >= 0 AND "pruned_through" <= "last");

INSERT INTO "event_sequence" DEFAULT VALUES;

-- ---------------------------------------------------------------- partial indexes

-- One live cart a guest; the guard behind "two first adds at once make one cart".
CREATE UNIQUE INDEX "carts_guest_id_active_key" ON "carts"("guest_id") WHERE "status" = 'ACTIVE';

-- What is due to expire, soonest first.
CREATE INDEX "carts_expires_at_active_idx" ON "carts"("expires_at") WHERE "status" = 'ACTIVE';

-- What the relay has not numbered yet: nearly always empty.
CREATE INDEX "event_log_unnumbered_idx" ON "event_log"("id") WHERE "seq" IS NULL;

-- ---------------------------------------------------------------- storage

-- Room on the page, so that the counters' updates stay heap-only.
ALTER TABLE "product_variants" SET (fillfactor = 50);
ALTER TABLE "carts" SET (fillfactor = 80);
ALTER TABLE "event_sequence" SET (fillfactor = 10);

-- Each row is updated once, soon after its insert: dead entries of the relay's index must go quickly.
ALTER TABLE "event_log" SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0
);

-- ---------------------------------------------------------------- the ledger is append-only

CREATE FUNCTION "stock_movements_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_movements is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER "stock_movements_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "stock_movements"
    FOR EACH STATEMENT EXECUTE FUNCTION "stock_movements_append_only"();

-- ---------------------------------------------------------------- what a product is found and sorted by

-- Punctuation inside words and SKUs parts them, as it does in the words that are searched for (product-search.ts).
CREATE FUNCTION "search_words"(text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT translate(unaccent(coalesce($1, '')), '-_/.''’', '      ')
$$;

-- Both as written (for unfinished words) and by English stems (for finished ones).
CREATE FUNCTION "search_vector"(text) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', "search_words"($1)) || to_tsvector('english', "search_words"($1))
$$;

CREATE FUNCTION "products_derive"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skus text;
BEGIN
    SELECT min("price_minor"), max("price_minor"), string_agg("sku", ' ' ORDER BY "position", "id")
      INTO NEW."min_price_minor", NEW."max_price_minor", skus
      FROM "product_variants" WHERE "product_id" = NEW."id" AND "archived_at" IS NULL;
    NEW."sort_title" := lower(unaccent(NEW."title"));
    NEW."search" := setweight("search_vector"(concat_ws(' ', NEW."title", skus)), 'A')
        || setweight("search_vector"(concat_ws(' ', NEW."vendor", array_to_string(NEW."tags", ' '))), 'B')
        || setweight("search_vector"(NEW."description"), 'C');
    RETURN NEW;
END $$;

CREATE TRIGGER "products_derive" BEFORE INSERT OR UPDATE OF "title", "description", "vendor", "tags" ON "products"
    FOR EACH ROW EXECUTE FUNCTION "products_derive"();

CREATE FUNCTION "product_variants_derive"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "products" SET "title" = "title" WHERE "id" = NEW."product_id";
    RETURN NULL;
END $$;

-- Not on the counters: selling does not touch the product's row.
CREATE TRIGGER "product_variants_derive" AFTER INSERT OR UPDATE OF "sku", "price_minor", "archived_at", "position"
    ON "product_variants" FOR EACH ROW EXECUTE FUNCTION "product_variants_derive"();

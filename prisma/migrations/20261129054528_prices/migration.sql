-- From prisma/schema.prisma by "npm run migrate:new -- prices". Read it before you commit it: what was renamed stands
-- here as dropped and added. By hand: NOT NULL of lists, CHECKs, partial indexes and triggers.

-- CreateEnum
CREATE TYPE "promotion_trigger" AS ENUM ('AUTOMATIC', 'CODE');

-- CreateEnum
CREATE TYPE "promotion_scope" AS ENUM ('LINES', 'ORDER', 'SHIPPING');

-- CreateEnum
CREATE TYPE "promotion_kind" AS ENUM ('PERCENT', 'FIXED_EACH', 'FIXED_ACROSS', 'FREE', 'BUY_X_GET_Y');

-- CreateEnum
CREATE TYPE "shipping_rate_basis" AS ENUM ('WEIGHT', 'SUBTOTAL');

-- AlterTable
ALTER TABLE "product_variants" ADD COLUMN     "requires_shipping" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "tax_category_id" UUID,
ADD COLUMN     "weight_grams" INTEGER;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "tax_exempt" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "tax_exempt_note" TEXT;

-- AlterTable
ALTER TABLE "carts" ADD COLUMN     "discount_codes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "shipping_address" JSONB,
ADD COLUMN     "shipping_method_id" UUID;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "discount_codes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "discount_minor" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "prices_include_tax" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "quote_hash" TEXT,
ADD COLUMN     "shipping_method_id" UUID,
ADD COLUMN     "shipping_method_title" TEXT,
ADD COLUMN     "shipping_minor" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "tax_minor" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "order_lines" ADD COLUMN     "discount_minor" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "relief_minor" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "tax_minor" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "order_discounts" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "line_id" UUID,
    "promotion_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "code" TEXT,
    "amount_minor" BIGINT NOT NULL,

    CONSTRAINT "order_discounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_taxes" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "line_id" UUID,
    "title" TEXT NOT NULL,
    "rate_ppm" INTEGER NOT NULL,
    "amount_minor" BIGINT NOT NULL,

    CONSTRAINT "order_taxes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pricing_version" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "version" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "pricing_version_pkey" PRIMARY KEY ("singleton")
);

-- CreateTable
CREATE TABLE "promotions" (
    "id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "trigger" "promotion_trigger" NOT NULL,
    "scope" "promotion_scope" NOT NULL,
    "kind" "promotion_kind" NOT NULL,
    "percent_ppm" INTEGER,
    "amount_minor" BIGINT,
    "buy_quantity" INTEGER,
    "get_quantity" INTEGER,
    "max_sets" INTEGER,
    "product_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "variant_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "category_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "tags" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "excluded_product_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "excluded_variant_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "excluded_category_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "excluded_tags" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "get_product_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "get_variant_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "get_category_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "get_tags" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "min_subtotal_minor" BIGINT,
    "min_quantity" INTEGER,
    "countries" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "first_order_only" BOOLEAN NOT NULL DEFAULT false,
    "customer_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "starts_at" TIMESTAMPTZ(6) NOT NULL,
    "ends_at" TIMESTAMPTZ(6),
    "priority" INTEGER NOT NULL DEFAULT 0,
    "combines_with" "promotion_scope"[] NOT NULL DEFAULT ARRAY[]::"promotion_scope"[],
    "usage_limit" INTEGER,
    "usage_limit_per_customer" INTEGER,
    "budget_minor" BIGINT,
    "used" INTEGER NOT NULL DEFAULT 0,
    "spent_minor" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "promotions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "promotion_codes" (
    "code" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "promotion_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "promotion_codes_pkey" PRIMARY KEY ("normalized")
);

-- CreateTable
CREATE TABLE "promotion_uses" (
    "promotion_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "customer" TEXT NOT NULL,
    "code" TEXT,
    "amount_minor" BIGINT NOT NULL,
    "used_at" TIMESTAMPTZ(6) NOT NULL,
    "returned_at" TIMESTAMPTZ(6),

    CONSTRAINT "promotion_uses_pkey" PRIMARY KEY ("order_id","promotion_id")
);

-- CreateTable
CREATE TABLE "shipping_zones" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "countries" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "regions" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "postal_prefixes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "is_rest" BOOLEAN NOT NULL DEFAULT false,
    "is_home" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "shipping_zones_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "shipping_methods" (
    "id" UUID NOT NULL,
    "zone_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "delivery_estimate" TEXT,
    "tax_category_id" UUID,
    "free_from_minor" BIGINT,
    "position" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "shipping_methods_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "shipping_rates" (
    "id" UUID NOT NULL,
    "method_id" UUID NOT NULL,
    "basis" "shipping_rate_basis" NOT NULL,
    "from_value" BIGINT NOT NULL,
    "to_value" BIGINT,
    "price_minor" BIGINT NOT NULL,

    CONSTRAINT "shipping_rates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tax_categories" (
    "id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "tax_categories_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tax_rates" (
    "id" UUID NOT NULL,
    "zone_id" UUID NOT NULL,
    "tax_category_id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "rate_ppm" INTEGER NOT NULL,
    "valid_from" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "tax_rates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "user_addresses" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "line1" TEXT NOT NULL,
    "line2" TEXT,
    "city" TEXT NOT NULL,
    "region" TEXT,
    "postal_code" TEXT NOT NULL,
    "country_code" CHAR(2) NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "user_addresses_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "order_discounts_order_id_id_idx" ON "order_discounts"("order_id", "id");

-- CreateIndex
CREATE INDEX "order_discounts_line_id_idx" ON "order_discounts"("line_id");

-- CreateIndex
CREATE INDEX "order_taxes_order_id_id_idx" ON "order_taxes"("order_id", "id");

-- CreateIndex
CREATE INDEX "order_taxes_line_id_idx" ON "order_taxes"("line_id");

-- CreateIndex
CREATE INDEX "promotions_created_at_id_idx" ON "promotions"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "promotion_codes_promotion_id_normalized_idx" ON "promotion_codes"("promotion_id", "normalized");

-- CreateIndex
CREATE INDEX "promotion_uses_promotion_id_customer_idx" ON "promotion_uses"("promotion_id", "customer");

-- CreateIndex
CREATE UNIQUE INDEX "shipping_zones_name_key" ON "shipping_zones"("name");

-- CreateIndex
CREATE INDEX "shipping_methods_zone_id_position_id_idx" ON "shipping_methods"("zone_id", "position", "id");

-- CreateIndex
CREATE INDEX "shipping_rates_method_id_from_value_id_idx" ON "shipping_rates"("method_id", "from_value", "id");

-- CreateIndex
CREATE UNIQUE INDEX "tax_categories_code_key" ON "tax_categories"("code");

-- CreateIndex
CREATE UNIQUE INDEX "tax_rates_zone_id_tax_category_id_valid_from_key" ON "tax_rates"("zone_id", "tax_category_id", "valid_from");

-- CreateIndex
CREATE INDEX "user_addresses_user_id_created_at_id_idx" ON "user_addresses"("user_id", "created_at", "id");

-- AddForeignKey
ALTER TABLE "product_variants" ADD CONSTRAINT "product_variants_tax_category_id_fkey" FOREIGN KEY ("tax_category_id") REFERENCES "tax_categories"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_discounts" ADD CONSTRAINT "order_discounts_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_discounts" ADD CONSTRAINT "order_discounts_line_id_fkey" FOREIGN KEY ("line_id") REFERENCES "order_lines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_taxes" ADD CONSTRAINT "order_taxes_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_taxes" ADD CONSTRAINT "order_taxes_line_id_fkey" FOREIGN KEY ("line_id") REFERENCES "order_lines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "promotion_codes" ADD CONSTRAINT "promotion_codes_promotion_id_fkey" FOREIGN KEY ("promotion_id") REFERENCES "promotions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "promotion_uses" ADD CONSTRAINT "promotion_uses_promotion_id_fkey" FOREIGN KEY ("promotion_id") REFERENCES "promotions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "promotion_uses" ADD CONSTRAINT "promotion_uses_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "shipping_methods" ADD CONSTRAINT "shipping_methods_zone_id_fkey" FOREIGN KEY ("zone_id") REFERENCES "shipping_zones"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "shipping_methods" ADD CONSTRAINT "shipping_methods_tax_category_id_fkey" FOREIGN KEY ("tax_category_id") REFERENCES "tax_categories"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "shipping_rates" ADD CONSTRAINT "shipping_rates_method_id_fkey" FOREIGN KEY ("method_id") REFERENCES "shipping_methods"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_rates" ADD CONSTRAINT "tax_rates_zone_id_fkey" FOREIGN KEY ("zone_id") REFERENCES "shipping_zones"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tax_rates" ADD CONSTRAINT "tax_rates_tax_category_id_fkey" FOREIGN KEY ("tax_category_id") REFERENCES "tax_categories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_addresses" ADD CONSTRAINT "user_addresses_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ---------------------------------------------------------------- by hand

INSERT INTO "pricing_version" DEFAULT VALUES;

-- What an order costs adds up. Orders from before have neither discounts nor shipping nor tax, and keep their totals.
ALTER TABLE "orders"
    ADD CONSTRAINT "orders_parts_check" CHECK (
        "discount_minor" >= 0 AND "shipping_minor" >= 0 AND "tax_minor" >= 0 AND "discount_minor" <= "subtotal_minor"),
    ADD CONSTRAINT "orders_sum_check" CHECK (
        "total_minor" = "subtotal_minor" - "discount_minor" + "shipping_minor"
                        + CASE WHEN "prices_include_tax" THEN 0 ELSE "tax_minor" END);
ALTER TABLE "order_lines"
    ADD CONSTRAINT "order_lines_parts_check" CHECK (
        "relief_minor" >= 0 AND "discount_minor" >= 0 AND "tax_minor" >= 0
        AND "relief_minor" + "discount_minor" <= "unit_price_minor"::bigint * "quantity");
ALTER TABLE "order_discounts" ADD CONSTRAINT "order_discounts_amount_check" CHECK ("amount_minor" > 0);
ALTER TABLE "order_taxes"
    ADD CONSTRAINT "order_taxes_check" CHECK ("amount_minor" >= 0 AND "rate_ppm" BETWEEN 0 AND 1000000);
ALTER TABLE "product_variants"
    ADD CONSTRAINT "product_variants_weight_check" CHECK ("weight_grams" BETWEEN 0 AND 1000000000);
ALTER TABLE "carts"
    ADD CONSTRAINT "carts_shipping_address_check" CHECK (jsonb_typeof("shipping_address") = 'object');

ALTER TABLE "pricing_version" ADD CONSTRAINT "pricing_version_singleton_check" CHECK ("singleton");
ALTER TABLE "promotions"
    ADD CONSTRAINT "promotions_title_check" CHECK ("title" <> '' AND length("title") <= 255),
    ADD CONSTRAINT "promotions_window_check" CHECK ("starts_at" < "ends_at"),
    ADD CONSTRAINT "promotions_percent_check" CHECK (
        CASE WHEN "kind" IN ('PERCENT', 'BUY_X_GET_Y') THEN "percent_ppm" IS NOT NULL AND "percent_ppm" BETWEEN 1 AND 1000000
             ELSE "percent_ppm" IS NULL END),
    ADD CONSTRAINT "promotions_amount_check" CHECK (
        CASE WHEN "kind" IN ('FIXED_EACH', 'FIXED_ACROSS') THEN "amount_minor" IS NOT NULL AND "amount_minor" > 0
             ELSE "amount_minor" IS NULL END),
    ADD CONSTRAINT "promotions_sets_check" CHECK (
        CASE WHEN "kind" = 'BUY_X_GET_Y'
             THEN "scope" = 'LINES' AND "buy_quantity" IS NOT NULL AND "buy_quantity" > 0
                  AND "get_quantity" IS NOT NULL AND "get_quantity" > 0 AND "max_sets" > 0
             ELSE num_nonnulls("buy_quantity", "get_quantity", "max_sets") = 0 END),
    ADD CONSTRAINT "promotions_scope_check" CHECK (
        CASE "scope" WHEN 'LINES' THEN TRUE ELSE "kind" IN ('PERCENT', 'FIXED_ACROSS', 'FREE') END),
    ADD CONSTRAINT "promotions_conditions_check" CHECK ("min_subtotal_minor" >= 0 AND "min_quantity" >= 0),
    ADD CONSTRAINT "promotions_limits_check" CHECK (
        "usage_limit" > 0 AND "usage_limit_per_customer" > 0 AND "budget_minor" > 0),
    -- The counters can never go beyond what staff allowed, whatever the shop's code does.
    ADD CONSTRAINT "promotions_used_check" CHECK ("used" >= 0 AND "used" <= "usage_limit"),
    ADD CONSTRAINT "promotions_spent_check" CHECK ("spent_minor" >= 0 AND "spent_minor" <= "budget_minor");
ALTER TABLE "promotion_codes"
    ADD CONSTRAINT "promotion_codes_check" CHECK (
        "code" <> '' AND length("code") <= 64 AND "normalized" <> '' AND length("normalized") <= 255);
ALTER TABLE "promotion_uses" ADD CONSTRAINT "promotion_uses_amount_check" CHECK ("amount_minor" > 0);
ALTER TABLE "shipping_rates"
    ADD CONSTRAINT "shipping_rates_band_check" CHECK (
        "from_value" >= 0 AND "to_value" > "from_value" AND "price_minor" >= 0);
ALTER TABLE "shipping_methods" ADD CONSTRAINT "shipping_methods_free_from_check" CHECK ("free_from_minor" >= 0);
ALTER TABLE "tax_rates" ADD CONSTRAINT "tax_rates_ppm_check" CHECK ("rate_ppm" BETWEEN 0 AND 1000000);

CREATE UNIQUE INDEX "shipping_zones_rest_key" ON "shipping_zones" ("is_rest") WHERE "is_rest";
CREATE UNIQUE INDEX "shipping_zones_home_key" ON "shipping_zones" ("is_home") WHERE "is_home";
CREATE UNIQUE INDEX "tax_categories_default_key" ON "tax_categories" ("is_default") WHERE "is_default";
CREATE UNIQUE INDEX "user_addresses_default_key" ON "user_addresses" ("user_id") WHERE "is_default";
-- For the foreign key, when a category is deleted.
CREATE INDEX "product_variants_tax_category_id_idx" ON "product_variants" ("tax_category_id") WHERE "tax_category_id" IS NOT NULL;

-- Raised in the transaction of the change, and so seen with it. The row is locked last, after everything that the change is about.
CREATE FUNCTION "pricing_version_raise"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "pricing_version" SET "version" = "version" + 1;
    RETURN NULL;
END
$$;
-- Not for the counters "used" and "spent_minor", which each order may change.
CREATE TRIGGER "promotions_raise_pricing_version"
    AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF
        "title", "trigger", "scope", "kind", "percent_ppm", "amount_minor", "buy_quantity", "get_quantity", "max_sets",
        "product_ids", "variant_ids", "category_ids", "tags", "excluded_product_ids", "excluded_variant_ids",
        "excluded_category_ids", "excluded_tags", "get_product_ids", "get_variant_ids", "get_category_ids", "get_tags",
        "min_subtotal_minor", "min_quantity", "countries", "first_order_only", "customer_ids", "starts_at", "ends_at",
        "priority", "combines_with", "usage_limit", "usage_limit_per_customer", "budget_minor"
    ON "promotions" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();
CREATE TRIGGER "shipping_zones_raise_pricing_version"
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "shipping_zones" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();
CREATE TRIGGER "shipping_methods_raise_pricing_version"
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "shipping_methods" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();
CREATE TRIGGER "shipping_rates_raise_pricing_version"
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "shipping_rates" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();
CREATE TRIGGER "tax_categories_raise_pricing_version"
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "tax_categories" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();
CREATE TRIGGER "tax_rates_raise_pricing_version"
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "tax_rates" FOR EACH STATEMENT EXECUTE FUNCTION "pricing_version_raise"();

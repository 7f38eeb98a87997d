-- From prisma/schema.prisma by "npm run migrate:new -- shop_currency". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- DropIndex
DROP INDEX "categories_name_id_idx";

-- CreateTable
CREATE TABLE "shop_currency" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "code" CHAR(3) NOT NULL,
    "digits" SMALLINT NOT NULL,
    "recorded_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "shop_currency_pkey" PRIMARY KEY ("singleton")
);

-- ================================================================ by hand: what Prisma's schema cannot say

-- What the currency is, the first start says that finds no row: only the shop knows its settings.
ALTER TABLE "shop_currency"
    ADD CONSTRAINT "shop_currency_singleton_check" CHECK ("singleton"),
    ADD CONSTRAINT "shop_currency_code_check" CHECK ("code" ~ '^[A-Z]{3}$'),
    ADD CONSTRAINT "shop_currency_digits_check" CHECK ("digits" BETWEEN 0 AND 4);

-- Addresses are ASCII and compared in lower case. The database's own locale must not say what that is: in a Turkish one
-- the lower case of I is not i. The columns' collation is that of the indexes on lower(…), which are rebuilt.
ALTER TABLE "users" ALTER COLUMN "email" TYPE TEXT COLLATE "C";
ALTER TABLE "carts" ALTER COLUMN "email" TYPE TEXT COLLATE "C";
ALTER TABLE "orders" ALTER COLUMN "email" TYPE TEXT COLLATE "C";
ALTER TABLE "mails" ALTER COLUMN "recipient" TYPE TEXT COLLATE "C";
ALTER TABLE "mail_opt_outs" DROP CONSTRAINT "mail_opt_outs_email_check";
ALTER TABLE "mail_opt_outs" ALTER COLUMN "email" TYPE TEXT COLLATE "C";
INSERT INTO "mail_opt_outs" ("email", "kind", "created_at")
    SELECT replace("email", 'ı', 'i'), "kind", "created_at" FROM "mail_opt_outs" WHERE "email" LIKE '%ı%' ON CONFLICT DO NOTHING;
DELETE FROM "mail_opt_outs" WHERE "email" LIKE '%ı%';
ALTER TABLE "mail_opt_outs" ADD CONSTRAINT "mail_opt_outs_email_check" CHECK ("email" = lower("email"));
ALTER TABLE "stock_alerts" ALTER COLUMN "email" TYPE TEXT COLLATE "C";

-- Names have letters of every script: the search of staff takes the database's lower case, on both sides.
DROP INDEX "users_search_idx";
CREATE INDEX "users_search_idx" ON "users" USING gin (lower(("email" || ' ' || "name") COLLATE "default") gin_trgm_ops);

-- What lists are sorted by: a linguistic collation changes with the system's libraries, and with it the order in an index.
ALTER TABLE "products" ALTER COLUMN "sort_title" TYPE TEXT COLLATE "C";
ALTER TABLE "categories" ALTER COLUMN "name" TYPE TEXT COLLATE "C";
CREATE INDEX "categories_name_idx" ON "categories"(lower("name"), "id");

-- Nor may a Turkish locale make another letter of I here.
CREATE OR REPLACE FUNCTION "products_derive"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skus text;
BEGIN
    SELECT min("price_minor"), max("price_minor"), string_agg("sku", ' ' ORDER BY "position", "id")
      INTO NEW."min_price_minor", NEW."max_price_minor", skus
      FROM "product_variants" WHERE "product_id" = NEW."id" AND "archived_at" IS NULL;
    NEW."sort_title" := lower(translate(unaccent(NEW."title"), 'Iİ', 'ii'));
    NEW."search" := setweight("search_vector"(concat_ws(' ', NEW."title", skus)), 'A')
        || setweight("search_vector"(concat_ws(' ', NEW."vendor", array_to_string(NEW."tags", ' '))), 'B')
        || setweight("search_vector"(NEW."description"), 'C');
    RETURN NEW;
END $$;

UPDATE "products" SET "title" = "title" WHERE "sort_title" LIKE '%ı%';

-- From prisma/schema.prisma by "npm run migrate:new -- order_search", and by hand: the words by which staff find orders.

-- A million orders take minutes.
SET LOCAL statement_timeout = 0;

ALTER TABLE "orders" ADD COLUMN "search" tsvector;

-- Not a generated column: a dump is restored without a search_path, in which the functions below would not find each other.
CREATE FUNCTION "orders_derive"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."search" := "search_document"("search_terms"(concat_ws(' ', NEW."number", NEW."email", NEW."shipping_name", NEW."shipping_line1",
        NEW."shipping_line2", NEW."shipping_city", NEW."shipping_region", NEW."shipping_postal_code", NEW."shipping_country_code")));
    RETURN NEW;
END $$;

CREATE TRIGGER "orders_derive" BEFORE INSERT OR UPDATE OF "number", "email", "shipping_name", "shipping_line1", "shipping_line2",
    "shipping_city", "shipping_region", "shipping_postal_code", "shipping_country_code" ON "orders"
    FOR EACH ROW EXECUTE FUNCTION "orders_derive"();

-- By the trigger: every order gets its words.
UPDATE "orders" SET "email" = "email";

CREATE INDEX "orders_payment_status_placed_at_id_idx" ON "orders"("payment_status", "placed_at" DESC, "id" DESC);
CREATE INDEX "orders_total_minor_id_idx" ON "orders"("total_minor" DESC, "id" DESC);
CREATE INDEX "orders_search_idx" ON "orders" USING GIN ("search");

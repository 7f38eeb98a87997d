-- By "npm run migrate:new -- words_once --empty", and by hand: a product's words are derived once for each statement that inserts
-- variants, and not at all where only prices change. Both used to cost as much as the description is long, for each variant.

DROP TRIGGER "product_variants_derive" ON "product_variants";

CREATE FUNCTION "product_variants_derive_inserted"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "products" SET "title" = "title" WHERE "id" IN (SELECT "product_id" FROM "inserted");
    RETURN NULL;
END $$;

CREATE TRIGGER "product_variants_derive_inserted" AFTER INSERT ON "product_variants" REFERENCING NEW TABLE AS "inserted"
    FOR EACH STATEMENT EXECUTE FUNCTION "product_variants_derive_inserted"();

-- Row by row: a trigger for some columns has no transition tables, and one for all columns would fire with every hold.
CREATE TRIGGER "product_variants_derive" AFTER UPDATE OF "sku", "archived_at", "position" ON "product_variants" FOR EACH ROW
    WHEN (OLD."sku" <> NEW."sku" OR OLD."archived_at" IS DISTINCT FROM NEW."archived_at" OR OLD."position" <> NEW."position")
    EXECUTE FUNCTION "product_variants_derive"();

CREATE FUNCTION "product_variants_derive_prices"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Prices that another transaction wrote under this lock are read after it.
    PERFORM FROM "products" WHERE "id" = NEW."product_id" FOR NO KEY UPDATE;
    UPDATE "products" SET ("min_price_minor", "max_price_minor") = (
        SELECT min("price_minor"), max("price_minor") FROM "product_variants" WHERE "product_id" = NEW."product_id" AND "archived_at" IS NULL
    ) WHERE "id" = NEW."product_id";
    RETURN NULL;
END $$;

CREATE TRIGGER "product_variants_derive_prices" AFTER UPDATE OF "price_minor" ON "product_variants" FOR EACH ROW
    WHEN (OLD."price_minor" <> NEW."price_minor") EXECUTE FUNCTION "product_variants_derive_prices"();

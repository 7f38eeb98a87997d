-- From prisma/schema.prisma by "npm run migrate:new -- newest_products_by_price", and by hand: the time-out.

-- A million products take a while.
SET LOCAL statement_timeout = 0;

-- Ranges of prices are looked up in the index, too: where age and price go together, newest-first lists pass over very many products.
CREATE INDEX "products_newest_idx" ON "products"("status", "created_at" DESC, "id" DESC, "min_price_minor", "max_price_minor");
DROP INDEX "products_status_created_at_id_idx";

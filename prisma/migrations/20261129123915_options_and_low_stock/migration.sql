-- By hand: what lists of products are filtered by beside price and stock.

-- A million variants take a while.
SET LOCAL statement_timeout = 0;

-- Changes only where a variant becomes low or ceases to be, so an index on it leaves the counters' updates heap-only.
ALTER TABLE "product_variants" ADD COLUMN "low_stock" BOOLEAN NOT NULL
    GENERATED ALWAYS AS ("on_hand" > "held" AND "on_hand" - "held" <= "low_stock_threshold") STORED;

CREATE INDEX "product_variants_low_stock_idx" ON "product_variants"("product_id") WHERE "low_stock" AND "archived_at" IS NULL;

-- Variants by a value of an option: selected_options @> '[{"name": "Size", "value": "M"}]'.
CREATE INDEX "product_variants_selected_options_idx" ON "product_variants" USING GIN ("selected_options" jsonb_path_ops)
    WHERE "archived_at" IS NULL;

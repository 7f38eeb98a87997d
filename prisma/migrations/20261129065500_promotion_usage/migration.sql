-- By hand: an index that holds all that the report of a promotion's usage reads of discounts. IDs of orders begin with the time at
-- which they were placed, so that a period is one range of the index.
CREATE INDEX "order_discounts_usage_idx" ON "order_discounts" ("promotion_id", "order_id") INCLUDE ("code", "amount_minor");

-- From prisma/schema.prisma by "npm run migrate:new -- retention". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- CreateIndex
CREATE INDEX "carts_merged_into_id_idx" ON "carts"("merged_into_id");

-- What is over, by when it goes: retention looks for it every ten minutes.
CREATE INDEX "carts_over_idx" ON "carts"("updated_at", "id")
    WHERE "status" IN ('EXPIRED', 'MERGED') OR ("status" = 'ACTIVE' AND "expires_at" IS NULL);
CREATE INDEX "guests_created_at_idx" ON "guests"("created_at", "id");
CREATE INDEX "stock_alerts_over_idx" ON "stock_alerts"((coalesce("notified_at", "created_at"))) WHERE "status" <> 'WAITING';
CREATE INDEX "parked_events_resolved_at_idx" ON "parked_events"("resolved_at", "id") WHERE "resolved_at" IS NOT NULL;

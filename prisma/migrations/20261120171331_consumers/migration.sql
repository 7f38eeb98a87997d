-- From prisma/schema.prisma by "npm run migrate:new -- consumers". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- AlterTable
ALTER TABLE "cart_lines" ADD COLUMN     "low_stock_notified_at" TIMESTAMPTZ(6);

-- CreateTable
CREATE TABLE "event_consumers" (
    "name" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "epoch" TEXT NOT NULL,
    "lease_owner" UUID,
    "lease_until" TIMESTAMPTZ(6),
    "fence" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_consumers_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "parked_events" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "consumer" TEXT NOT NULL,
    "epoch" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "payload" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "error" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "parked_at" TIMESTAMPTZ(6) NOT NULL,
    "resolved_at" TIMESTAMPTZ(6),

    CONSTRAINT "parked_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "parked_events_parked_at_id_idx" ON "parked_events"("parked_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "parked_events_consumer_epoch_seq_key" ON "parked_events"("consumer", "epoch", "seq");

-- ================================================================ by hand: what Prisma's schema cannot say

ALTER TABLE "event_consumers"
    ADD CONSTRAINT "event_consumers_name_check" CHECK ("name" ~ '^[a-z]+(-[a-z]+)*$'),
    ADD CONSTRAINT "event_consumers_seq_check" CHECK ("seq" >= 0),
    ADD CONSTRAINT "event_consumers_lease_check" CHECK (("lease_owner" IS NULL) = ("lease_until" IS NULL));

ALTER TABLE "parked_events"
    ADD CONSTRAINT "parked_events_attempts_check" CHECK ("attempts" > 0);

-- What waits for somebody of the staff, the latest first: nearly always nothing.
CREATE INDEX "parked_events_waiting_idx" ON "parked_events"("parked_at" DESC, "id" DESC) WHERE "resolved_at" IS NULL;

-- One small row for each consumer, updated with every step: room on the page keeps it there.
ALTER TABLE "event_consumers" SET (fillfactor = 10);

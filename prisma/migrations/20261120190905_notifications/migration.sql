-- From prisma/schema.prisma by "npm run migrate:new -- notifications". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- CreateEnum
CREATE TYPE "mail_status" AS ENUM ('PENDING', 'SENT', 'SKIPPED', 'FAILED');

-- CreateEnum
CREATE TYPE "stock_alert_status" AS ENUM ('WAITING', 'NOTIFIED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "webhook_delivery_status" AS ENUM ('PENDING', 'APPLIED', 'SKIPPED', 'FAILED');

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "mails_off" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "password_resets" (
    "id" UUID NOT NULL,
    "user_id" UUID,
    "requested_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "closed_at" TIMESTAMPTZ(6),

    CONSTRAINT "password_resets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mails" (
    "id" UUID NOT NULL,
    "cause" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "user_id" UUID,
    "data" JSONB NOT NULL,
    "status" "mail_status" NOT NULL DEFAULT 'PENDING',
    "message_id" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "claimed_until" TIMESTAMPTZ(6),
    "error" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "mails_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mail_opt_outs" (
    "email" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "mail_opt_outs_pkey" PRIMARY KEY ("email","kind")
);

-- CreateTable
CREATE TABLE "stock_alerts" (
    "id" UUID NOT NULL,
    "number" BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    "variant_id" UUID NOT NULL,
    "user_id" UUID,
    "email" TEXT NOT NULL,
    "status" "stock_alert_status" NOT NULL DEFAULT 'WAITING',
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "notified_at" TIMESTAMPTZ(6),

    CONSTRAINT "stock_alerts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stock_alert_chains" (
    "variant_id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "next_batch_at" TIMESTAMPTZ(6) NOT NULL,
    "batch_left" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "stock_alert_chains_pkey" PRIMARY KEY ("variant_id")
);

-- CreateTable
CREATE TABLE "outside_stock" (
    "variant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "shortfall" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "outside_stock_pkey" PRIMARY KEY ("variant_id","source")
);

-- CreateTable
CREATE TABLE "contentful_entries" (
    "id" TEXT NOT NULL,
    "product_id" UUID,
    "revision" INTEGER NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "contentful_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "delivery_key" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "entry_id" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "status" "webhook_delivery_status" NOT NULL DEFAULT 'PENDING',
    "reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "product_id" UUID,
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "password_resets_user_id_requested_at_idx" ON "password_resets"("user_id", "requested_at");

-- CreateIndex
CREATE INDEX "password_resets_expires_at_idx" ON "password_resets"("expires_at");

-- CreateIndex
CREATE INDEX "mails_created_at_id_idx" ON "mails"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "mails_status_created_at_id_idx" ON "mails"("status", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "mails_user_id_idx" ON "mails"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "stock_alerts_number_key" ON "stock_alerts"("number");

-- CreateIndex
CREATE INDEX "stock_alerts_user_id_created_at_id_idx" ON "stock_alerts"("user_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "stock_alert_chains_next_batch_at_idx" ON "stock_alert_chains"("next_batch_at");

-- CreateIndex
CREATE UNIQUE INDEX "contentful_entries_product_id_key" ON "contentful_entries"("product_id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_received_at_id_idx" ON "webhook_deliveries"("received_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "webhook_deliveries_status_received_at_id_idx" ON "webhook_deliveries"("status", "received_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "webhook_deliveries_source_delivery_key_key" ON "webhook_deliveries"("source", "delivery_key");

-- AddForeignKey
ALTER TABLE "password_resets" ADD CONSTRAINT "password_resets_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "mails" ADD CONSTRAINT "mails_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stock_alerts" ADD CONSTRAINT "stock_alerts_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stock_alerts" ADD CONSTRAINT "stock_alerts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stock_alert_chains" ADD CONSTRAINT "stock_alert_chains_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "outside_stock" ADD CONSTRAINT "outside_stock_variant_id_fkey" FOREIGN KEY ("variant_id") REFERENCES "product_variants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contentful_entries" ADD CONSTRAINT "contentful_entries_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- ================================================================ by hand: what Prisma's schema cannot say

-- Once per cause, template and address, however it is written.
CREATE UNIQUE INDEX "mails_cause_template_recipient_key" ON "mails"("cause", "template", lower("recipient"));
-- What is to be sent: nearly always little.
CREATE INDEX "mails_pending_idx" ON "mails"("due_at", "id") WHERE "status" = 'PENDING';
-- What did an address get?
CREATE INDEX "mails_recipient_idx" ON "mails"(lower("recipient"), "created_at" DESC, "id" DESC);

ALTER TABLE "mails"
    ADD CONSTRAINT "mails_recipient_check" CHECK ("recipient" ~ '^[^[:space:][:cntrl:]]+@[^[:space:][:cntrl:]]+$' AND length("recipient") <= 254),
    ADD CONSTRAINT "mails_attempts_check" CHECK ("attempts" >= 0),
    ADD CONSTRAINT "mails_settled_check" CHECK (("status" = 'PENDING') = ("settled_at" IS NULL));

ALTER TABLE "mail_opt_outs" ADD CONSTRAINT "mail_opt_outs_email_check" CHECK ("email" = lower("email"));

-- One who waits for a variant is there once.
CREATE UNIQUE INDEX "stock_alerts_waiting_key" ON "stock_alerts"("variant_id", lower("email")) WHERE "status" = 'WAITING';
-- Whose turn is it?
CREATE INDEX "stock_alerts_turn_idx" ON "stock_alerts"("variant_id", "number") WHERE "status" = 'WAITING';
-- How much does an address wait for?
CREATE INDEX "stock_alerts_address_idx" ON "stock_alerts"(lower("email")) WHERE "status" = 'WAITING';

ALTER TABLE "stock_alerts"
    ADD CONSTRAINT "stock_alerts_email_check" CHECK ("email" ~ '^[^[:space:][:cntrl:]]+@[^[:space:][:cntrl:]]+$' AND length("email") <= 254),
    ADD CONSTRAINT "stock_alerts_notified_check" CHECK (("status" = 'NOTIFIED') = ("notified_at" IS NOT NULL));

ALTER TABLE "stock_alert_chains" ADD CONSTRAINT "stock_alert_chains_batch_left_check" CHECK ("batch_left" >= 0);

ALTER TABLE "outside_stock"
    ADD CONSTRAINT "outside_stock_quantity_check" CHECK ("quantity" >= 0),
    ADD CONSTRAINT "outside_stock_shortfall_check" CHECK ("shortfall" >= 0);
-- What waits for units to come free.
CREATE INDEX "outside_stock_shortfall_idx" ON "outside_stock"("variant_id") WHERE "shortfall" > 0;

ALTER TABLE "webhook_deliveries"
    ADD CONSTRAINT "webhook_deliveries_settled_check" CHECK (("status" = 'PENDING') = ("settled_at" IS NULL));
CREATE INDEX "webhook_deliveries_pending_idx" ON "webhook_deliveries"("received_at", "id") WHERE "status" = 'PENDING';

-- What is over, for those who delete it.
CREATE INDEX "sessions_over_idx" ON "sessions"(coalesce("ended_at", "expires_at"));
CREATE INDEX "refresh_tokens_spent_idx" ON "refresh_tokens"("spent_at") WHERE "spent_at" IS NOT NULL;

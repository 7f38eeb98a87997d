-- From prisma/schema.prisma by "npm run migrate:new -- test_provider", and by hand: CHECKs and partial indexes. The books of the
-- `test` payment provider, which are apart from the shop's.

-- CreateTable
CREATE TABLE "test_provider_payments" (
    "reference" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'PENDING',
    "is_challenged" BOOLEAN NOT NULL DEFAULT false,
    "currency" CHAR(3) NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "authorized_minor" BIGINT NOT NULL DEFAULT 0,
    "captured_minor" BIGINT NOT NULL DEFAULT 0,
    "email" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "return_url" TEXT NOT NULL,
    "shop_url" TEXT NOT NULL,
    "failure" TEXT,
    "late_outcome" TEXT,
    "late_at" TIMESTAMPTZ(6),
    "lost_answers" INTEGER NOT NULL DEFAULT 0,
    "webhook_copies" INTEGER NOT NULL DEFAULT 1,
    "will_be_disputed" BOOLEAN NOT NULL DEFAULT false,
    "lapses_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "test_provider_payments_pkey" PRIMARY KEY ("reference")
);

-- CreateTable
CREATE TABLE "test_provider_refunds" (
    "reference" TEXT NOT NULL,
    "payment_reference" TEXT NOT NULL,
    "refund_id" TEXT,
    "amount_minor" BIGINT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'SUCCEEDED',
    "failure" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "test_provider_refunds_pkey" PRIMARY KEY ("reference")
);

-- CreateTable
CREATE TABLE "test_provider_disputes" (
    "reference" TEXT NOT NULL,
    "payment_reference" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'OPEN',
    "reason" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "test_provider_disputes_pkey" PRIMARY KEY ("reference")
);

-- CreateTable
CREATE TABLE "test_provider_keys" (
    "key" TEXT NOT NULL,
    "request" TEXT NOT NULL,
    "answer" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "test_provider_keys_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "test_provider_events" (
    "id" UUID NOT NULL,
    "sequence" BIGSERIAL NOT NULL,
    "payment_reference" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "copies" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6),
    "delivered_at" TIMESTAMPTZ(6),

    CONSTRAINT "test_provider_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "test_provider_payments_payment_id_idx" ON "test_provider_payments"("payment_id");

-- CreateIndex
CREATE INDEX "test_provider_payments_changed_at_reference_idx" ON "test_provider_payments"("changed_at", "reference");

-- CreateIndex
CREATE INDEX "test_provider_refunds_payment_reference_created_at_idx" ON "test_provider_refunds"("payment_reference", "created_at");

-- CreateIndex
CREATE INDEX "test_provider_disputes_payment_reference_created_at_idx" ON "test_provider_disputes"("payment_reference", "created_at");

-- CreateIndex
CREATE INDEX "test_provider_keys_created_at_idx" ON "test_provider_keys"("created_at");

-- CreateIndex
CREATE INDEX "test_provider_events_payment_reference_idx" ON "test_provider_events"("payment_reference");

-- CreateIndex
CREATE INDEX "test_provider_events_created_at_idx" ON "test_provider_events"("created_at");

-- AddForeignKey
ALTER TABLE "test_provider_refunds" ADD CONSTRAINT "test_provider_refunds_payment_reference_fkey" FOREIGN KEY ("payment_reference") REFERENCES "test_provider_payments"("reference") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "test_provider_disputes" ADD CONSTRAINT "test_provider_disputes_payment_reference_fkey" FOREIGN KEY ("payment_reference") REFERENCES "test_provider_payments"("reference") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "test_provider_events" ADD CONSTRAINT "test_provider_events_payment_reference_fkey" FOREIGN KEY ("payment_reference") REFERENCES "test_provider_payments"("reference") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "test_provider_payments"
    ADD CONSTRAINT "test_provider_payments_state_check"
        CHECK ("state" IN ('PENDING', 'PROCESSING', 'AUTHORIZED', 'CAPTURED', 'CANCELLED', 'FAILED')),
    ADD CONSTRAINT "test_provider_payments_late_outcome_check"
        CHECK ("late_outcome" IN ('SUCCEED', 'FAIL') AND "state" = 'PROCESSING' OR "late_outcome" IS NULL),
    ADD CONSTRAINT "test_provider_payments_late_at_check" CHECK (("late_at" IS NULL) = ("late_outcome" IS NULL)),
    ADD CONSTRAINT "test_provider_payments_amounts_check"
        CHECK ("amount_minor" > 0 AND 0 <= "captured_minor" AND "captured_minor" <= "authorized_minor" AND "authorized_minor" <= "amount_minor"),
    ADD CONSTRAINT "test_provider_payments_counts_check" CHECK ("lost_answers" >= 0 AND "webhook_copies" > 0);

ALTER TABLE "test_provider_refunds"
    ADD CONSTRAINT "test_provider_refunds_state_check" CHECK ("state" IN ('PENDING', 'SUCCEEDED', 'FAILED')),
    ADD CONSTRAINT "test_provider_refunds_amount_check" CHECK ("amount_minor" > 0);

ALTER TABLE "test_provider_disputes"
    ADD CONSTRAINT "test_provider_disputes_state_check" CHECK ("state" IN ('OPEN', 'WON', 'LOST')),
    ADD CONSTRAINT "test_provider_disputes_amount_check" CHECK ("amount_minor" > 0);

ALTER TABLE "test_provider_events"
    ADD CONSTRAINT "test_provider_events_delivered_check" CHECK ("due_at" IS NULL OR "delivered_at" IS NULL);

CREATE INDEX "test_provider_payments_late_idx" ON "test_provider_payments"("late_at") WHERE "late_at" IS NOT NULL;

CREATE INDEX "test_provider_payments_lapses_idx" ON "test_provider_payments"("lapses_at") WHERE "state" = 'AUTHORIZED';

CREATE INDEX "test_provider_events_due_idx" ON "test_provider_events"("due_at") WHERE "due_at" IS NOT NULL;

-- Payments, what providers are asked to do, refunds, disputes, and the ledger of money. CHECKs, triggers and the rows of the orders
-- there are stand at the end.

-- CreateEnum
CREATE TYPE "payment_state" AS ENUM ('PENDING', 'PROCESSING', 'AUTHORIZED', 'CAPTURED', 'CANCELLED', 'FAILED');

-- CreateEnum
CREATE TYPE "payment_return" AS ENUM ('AMOUNT_MISMATCH', 'OUT_OF_STOCK', 'CART_CHANGED', 'ALREADY_ORDERED');

-- CreateEnum
CREATE TYPE "payment_operation_kind" AS ENUM ('BEGIN', 'CAPTURE', 'CANCEL', 'REFUND');

-- CreateEnum
CREATE TYPE "payment_operation_state" AS ENUM ('QUEUED', 'SENT', 'DONE', 'REFUSED', 'UNKNOWN');

-- CreateEnum
CREATE TYPE "refund_state" AS ENUM ('PENDING', 'SUCCEEDED', 'FAILED');

-- CreateEnum
CREATE TYPE "dispute_state" AS ENUM ('OPEN', 'WON', 'LOST');

-- CreateEnum
CREATE TYPE "money_account" AS ENUM ('RECEIVABLE', 'CLEARING', 'SALES', 'DISCOUNTS', 'SHIPPING', 'TAX', 'REFUNDS', 'DISPUTES');

-- CreateEnum
CREATE TYPE "money_reason" AS ENUM ('PLACED', 'CAPTURED', 'REFUNDED', 'DISPUTED', 'CANCELLED');

-- AlterEnum
-- No statement of this migration uses the new values, which PostgreSQL would refuse before its commit.
ALTER TYPE "payment_status" ADD VALUE 'AUTHORIZED';
ALTER TYPE "payment_status" ADD VALUE 'PARTIALLY_PAID';
ALTER TYPE "payment_status" ADD VALUE 'PARTIALLY_REFUNDED';

-- AlterTable
ALTER TABLE "carts" ADD COLUMN     "payment_id" UUID,
ADD COLUMN     "pins" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "promotion_uses" DROP CONSTRAINT "promotion_uses_pkey",
ADD COLUMN     "id" BIGINT GENERATED ALWAYS AS IDENTITY,
ADD COLUMN     "payment_id" UUID,
ALTER COLUMN "order_id" DROP NOT NULL,
ADD CONSTRAINT "promotion_uses_pkey" PRIMARY KEY ("id");

-- CreateTable
CREATE TABLE "payments" (
    "id" UUID NOT NULL,
    "cart_id" UUID NOT NULL,
    "order_id" UUID,
    "provider" TEXT NOT NULL,
    "reference" TEXT,
    "state" "payment_state" NOT NULL DEFAULT 'PENDING',
    "currency" CHAR(3) NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "authorized_minor" BIGINT NOT NULL DEFAULT 0,
    "captured_minor" BIGINT NOT NULL DEFAULT 0,
    "refunded_minor" BIGINT NOT NULL DEFAULT 0,
    "refund_pending_minor" BIGINT NOT NULL DEFAULT 0,
    "disputed_minor" BIGINT NOT NULL DEFAULT 0,
    "quote_hash" TEXT,
    "terms" JSONB,
    "client_data" JSONB,
    "idempotency_key" TEXT,
    "request_hash" BYTEA,
    "deadline" TIMESTAMPTZ(6),
    "lapses_at" TIMESTAMPTZ(6),
    "failure" TEXT,
    "return_reason" "payment_return",
    "problem" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "payment_operations" (
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "kind" "payment_operation_kind" NOT NULL,
    "amount_minor" BIGINT,
    "refund_id" UUID,
    "parameters" JSONB NOT NULL DEFAULT '{}',
    "state" "payment_operation_state" NOT NULL DEFAULT 'QUEUED',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,
    "idempotency_key" TEXT,
    "actor_id" UUID,
    "sent_at" TIMESTAMPTZ(6),
    "lease_until" TIMESTAMPTZ(6),
    "next_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "payment_operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "order_id" UUID,
    "state" "refund_state" NOT NULL DEFAULT 'PENDING',
    "amount_minor" BIGINT NOT NULL,
    "shipping_minor" BIGINT NOT NULL DEFAULT 0,
    "reason" TEXT,
    "failure" TEXT,
    "reference" TEXT,
    "idempotency_key" TEXT,
    "request_hash" BYTEA,
    "actor_id" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refund_lines" (
    "refund_id" UUID NOT NULL,
    "line_id" UUID NOT NULL,
    "quantity" INTEGER NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "is_restocked" BOOLEAN NOT NULL,

    CONSTRAINT "refund_lines_pkey" PRIMARY KEY ("refund_id","line_id")
);

-- CreateTable
CREATE TABLE "disputes" (
    "id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "reference" TEXT NOT NULL,
    "state" "dispute_state" NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "disputes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "money_entries" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "posting_id" UUID NOT NULL,
    "reason" "money_reason" NOT NULL,
    "account" "money_account" NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "order_id" UUID,
    "payment_id" UUID,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "money_entries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "payments_cart_id_created_at_idx" ON "payments"("cart_id", "created_at");

-- CreateIndex
CREATE INDEX "payments_order_id_created_at_idx" ON "payments"("order_id", "created_at");

-- CreateIndex
CREATE INDEX "payments_created_at_id_idx" ON "payments"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "payments_provider_reference_key" ON "payments"("provider", "reference");

-- CreateIndex
CREATE INDEX "payment_operations_payment_id_created_at_idx" ON "payment_operations"("payment_id", "created_at");

-- CreateIndex
CREATE INDEX "payment_operations_refund_id_idx" ON "payment_operations"("refund_id");

-- CreateIndex
CREATE INDEX "refunds_order_id_created_at_idx" ON "refunds"("order_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "refunds_order_id_idempotency_key_key" ON "refunds"("order_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "refunds_payment_id_reference_key" ON "refunds"("payment_id", "reference");

-- CreateIndex
CREATE INDEX "refund_lines_line_id_idx" ON "refund_lines"("line_id");

-- CreateIndex
CREATE UNIQUE INDEX "disputes_payment_id_reference_key" ON "disputes"("payment_id", "reference");

-- CreateIndex
CREATE INDEX "money_entries_order_id_id_idx" ON "money_entries"("order_id", "id");

-- CreateIndex
CREATE INDEX "money_entries_payment_id_id_idx" ON "money_entries"("payment_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "carts_payment_id_key" ON "carts"("payment_id");

-- CreateIndex
CREATE UNIQUE INDEX "promotion_uses_order_id_promotion_id_key" ON "promotion_uses"("order_id", "promotion_id");

-- CreateIndex
CREATE UNIQUE INDEX "promotion_uses_payment_id_promotion_id_key" ON "promotion_uses"("payment_id", "promotion_id");

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "promotion_uses" ADD CONSTRAINT "promotion_uses_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_cart_id_fkey" FOREIGN KEY ("cart_id") REFERENCES "carts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_operations" ADD CONSTRAINT "payment_operations_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "payment_operations" ADD CONSTRAINT "payment_operations_refund_id_fkey" FOREIGN KEY ("refund_id") REFERENCES "refunds"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refund_lines" ADD CONSTRAINT "refund_lines_refund_id_fkey" FOREIGN KEY ("refund_id") REFERENCES "refunds"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refund_lines" ADD CONSTRAINT "refund_lines_line_id_fkey" FOREIGN KEY ("line_id") REFERENCES "order_lines"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "money_entries" ADD CONSTRAINT "money_entries_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "money_entries" ADD CONSTRAINT "money_entries_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ---------------------------------------------------------------- rules

ALTER TABLE "payments"
    ADD CONSTRAINT "payments_amount_check" CHECK ("amount_minor" >= 0),
    ADD CONSTRAINT "payments_captured_check" CHECK ("captured_minor" >= 0 AND "captured_minor" <= "authorized_minor"),
    ADD CONSTRAINT "payments_refunded_check"
        CHECK ("refunded_minor" >= 0 AND "refund_pending_minor" >= 0 AND "refunded_minor" + "refund_pending_minor" <= "captured_minor"),
    ADD CONSTRAINT "payments_disputed_check" CHECK ("disputed_minor" >= 0),
    -- What the shop begins itself has all that it takes to place the order.
    ADD CONSTRAINT "payments_terms_check" CHECK (
        "provider" = 'manual'
        OR ("terms" IS NOT NULL AND "quote_hash" IS NOT NULL AND "deadline" IS NOT NULL AND "idempotency_key" IS NOT NULL
            AND octet_length("request_hash") = 32));

ALTER TABLE "payment_operations"
    ADD CONSTRAINT "payment_operations_amount_check" CHECK (
        CASE "kind" WHEN 'CANCEL' THEN "amount_minor" IS NULL ELSE "amount_minor" > 0 END),
    ADD CONSTRAINT "payment_operations_refund_check" CHECK (("kind" = 'REFUND') = ("refund_id" IS NOT NULL)),
    ADD CONSTRAINT "payment_operations_settled_check" CHECK (("state" IN ('DONE', 'REFUSED')) = ("settled_at" IS NOT NULL)),
    ADD CONSTRAINT "payment_operations_sent_check" CHECK ("state" IN ('QUEUED', 'REFUSED') OR "sent_at" IS NOT NULL);

ALTER TABLE "refunds"
    ADD CONSTRAINT "refunds_amount_check" CHECK ("amount_minor" > 0 AND "shipping_minor" >= 0 AND "shipping_minor" <= "amount_minor"),
    ADD CONSTRAINT "refunds_key_check" CHECK (("idempotency_key" IS NULL) = ("request_hash" IS NULL));

ALTER TABLE "refund_lines"
    ADD CONSTRAINT "refund_lines_check" CHECK ("quantity" > 0 AND "amount_minor" >= 0);

ALTER TABLE "disputes" ADD CONSTRAINT "disputes_amount_check" CHECK ("amount_minor" > 0);

ALTER TABLE "money_entries" ADD CONSTRAINT "money_entries_amount_check" CHECK ("amount_minor" <> 0);

ALTER TABLE "carts"
    ADD CONSTRAINT "carts_pins_check" CHECK ("pins" >= 0),
    ADD CONSTRAINT "carts_payment_check" CHECK ("payment_id" IS NULL OR "status" = 'ACTIVE');

-- A promotion is at work in an order, or reserved for a payment, or was until the payment failed.
ALTER TABLE "promotion_uses"
    ADD CONSTRAINT "promotion_uses_subject_check" CHECK ("order_id" IS NOT NULL OR "payment_id" IS NOT NULL);

-- What has to be done, and what is in flight.
CREATE INDEX "payment_operations_open_idx" ON "payment_operations"("next_at") WHERE "state" IN ('QUEUED', 'SENT', 'UNKNOWN');
CREATE INDEX "payments_deadline_idx" ON "payments"("deadline") WHERE "state" IN ('PENDING', 'PROCESSING') AND "provider" <> 'manual';
CREATE INDEX "payments_lapses_at_idx" ON "payments"("lapses_at") WHERE "state" = 'AUTHORIZED';
CREATE UNIQUE INDEX "payment_operations_capture_key" ON "payment_operations"("payment_id", "idempotency_key")
    WHERE "idempotency_key" IS NOT NULL;
-- One of a kind at a time. Refunds are told apart by their rows.
CREATE UNIQUE INDEX "payment_operations_one_key" ON "payment_operations"("payment_id", "kind")
    WHERE "kind" <> 'REFUND' AND "state" IN ('QUEUED', 'SENT', 'UNKNOWN');

-- ---------------------------------------------------------------- the ledger is append-only

CREATE FUNCTION "money_entries_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'money_entries is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER "money_entries_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "money_entries"
    FOR EACH STATEMENT EXECUTE FUNCTION "money_entries_append_only"();

-- ---------------------------------------------------------------- orders that there are

-- An order that was marked as paid was paid outside of the shop, in full.
INSERT INTO "payments" ("id", "cart_id", "order_id", "provider", "state", "currency", "amount_minor", "authorized_minor", "captured_minor",
                        "refunded_minor", "created_at", "updated_at")
SELECT gen_random_uuid(), "cart_id", "id", 'manual', 'CAPTURED', "currency", "total_minor", "total_minor", "total_minor",
       CASE "payment_status" WHEN 'REFUNDED' THEN "total_minor" ELSE 0 END, "updated_at", "updated_at"
  FROM "orders" WHERE "payment_status" <> 'PENDING' AND "total_minor" > 0;

INSERT INTO "refunds" ("id", "payment_id", "order_id", "state", "amount_minor", "created_at", "updated_at")
SELECT gen_random_uuid(), "id", "order_id", 'SUCCEEDED', "refunded_minor", "updated_at", "updated_at" FROM "payments" WHERE "refunded_minor" > 0;

WITH posted AS MATERIALIZED (
    SELECT o.*, gen_random_uuid() AS posting_id FROM "orders" o
)
INSERT INTO "money_entries" ("posting_id", "reason", "account", "amount_minor", "order_id", "occurred_at")
SELECT p.posting_id, 'PLACED', e.account::"money_account", e.amount, p.id, p.placed_at
  FROM posted p CROSS JOIN LATERAL (VALUES
      ('RECEIVABLE', p.total_minor), ('DISCOUNTS', p.discount_minor), ('SHIPPING', -p.shipping_minor), ('TAX', -p.tax_minor),
      ('SALES', p.shipping_minor + p.tax_minor - p.total_minor - p.discount_minor)
  ) AS e(account, amount) WHERE e.amount <> 0 ORDER BY p.placed_at, p.id;

INSERT INTO "money_entries" ("posting_id", "reason", "account", "amount_minor", "order_id", "payment_id", "occurred_at")
SELECT p.id, 'CAPTURED', e.account::"money_account", e.amount, p.order_id, p.id, p.created_at
  FROM "payments" p CROSS JOIN LATERAL (VALUES ('CLEARING', p.captured_minor), ('RECEIVABLE', -p.captured_minor)) AS e(account, amount);

-- What is cancelled is owed no longer; what was paid for it is given back from what is owed to the customer then.
INSERT INTO "money_entries" ("posting_id", "reason", "account", "amount_minor", "order_id", "occurred_at")
SELECT o.id, 'CANCELLED', e.account::"money_account", e.amount, o.id, o.updated_at
  FROM "orders" o CROSS JOIN LATERAL (VALUES ('REFUNDS', o.total_minor), ('RECEIVABLE', -o.total_minor)) AS e(account, amount)
 WHERE o.status = 'CANCELLED' AND o.total_minor > 0;

INSERT INTO "money_entries" ("posting_id", "reason", "account", "amount_minor", "order_id", "payment_id", "occurred_at")
SELECT r.id, 'REFUNDED', e.account::"money_account", e.amount, r.order_id, r.payment_id, r.created_at
  FROM "refunds" r JOIN "orders" o ON o.id = r.order_id CROSS JOIN LATERAL (VALUES
      (CASE o.status WHEN 'CANCELLED' THEN 'RECEIVABLE' ELSE 'REFUNDS' END, r.amount_minor), ('CLEARING', -r.amount_minor)
  ) AS e(account, amount);

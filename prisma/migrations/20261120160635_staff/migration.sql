-- From prisma/schema.prisma by "npm run migrate:new -- staff". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- By hand: people are looked for by any part of name or address.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- AlterTable
ALTER TABLE "stock_movements" ADD COLUMN     "actor_id" UUID,
ADD COLUMN     "idempotency_key" TEXT,
ADD COLUMN     "request_hash" BYTEA;

-- CreateTable
CREATE TABLE "staff_actions" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY,
    "actor_id" UUID,
    "kind" TEXT NOT NULL,
    "subject_type" TEXT NOT NULL,
    "subject_id" UUID NOT NULL,
    "changes" JSONB NOT NULL DEFAULT '[]',
    "note" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "staff_actions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "staff_actions_subject_id_id_idx" ON "staff_actions"("subject_id", "id" DESC);

-- CreateIndex
CREATE INDEX "staff_actions_actor_id_id_idx" ON "staff_actions"("actor_id", "id" DESC);

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "orders_status_placed_at_id_idx" ON "orders"("status", "placed_at" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "stock_movements" ADD CONSTRAINT "stock_movements_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "staff_actions" ADD CONSTRAINT "staff_actions_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ================================================================ by hand: what Prisma's schema cannot say

-- ---------------------------------------------------------------- rules that one row can express

ALTER TABLE "stock_movements"
    ADD CONSTRAINT "stock_movements_key_check" CHECK (
        ("idempotency_key" IS NULL) = ("request_hash" IS NULL)
        AND ("idempotency_key" IS NULL OR "actor_id" IS NOT NULL)
        AND "idempotency_key" <> '' AND length("idempotency_key") <= 255 AND octet_length("request_hash") = 32),
    ADD CONSTRAINT "stock_movements_note_check" CHECK (length("note") <= 1000);

ALTER TABLE "order_status_changes"
    ADD CONSTRAINT "order_status_changes_note_check" CHECK (length("note") <= 1000);

ALTER TABLE "staff_actions"
    ADD CONSTRAINT "staff_actions_kind_check" CHECK ("kind" ~ '^[A-Z]+(_[A-Z]+)*$'),
    ADD CONSTRAINT "staff_actions_subject_check" CHECK ("subject_type" ~ '^[A-Z][A-Za-z]*$'),
    ADD CONSTRAINT "staff_actions_changes_check" CHECK (jsonb_typeof("changes") = 'array'),
    ADD CONSTRAINT "staff_actions_note_check" CHECK (length("note") <= 1000);

-- ---------------------------------------------------------------- indexes on expressions, partial indexes

-- An adjustment by hand is done once a key. Few entries have one: selling does not pay for it.
CREATE UNIQUE INDEX "stock_movements_actor_id_idempotency_key_key" ON "stock_movements"("actor_id", "idempotency_key")
    WHERE "idempotency_key" IS NOT NULL;

-- Orders by address, whatever its capitals, newest first.
CREATE INDEX "orders_email_idx" ON "orders"(lower("email"), "placed_at" DESC, "id" DESC);

CREATE INDEX "users_search_idx" ON "users" USING gin (lower("email" || ' ' || "name") gin_trgm_ops);

-- There are few, and the last of them is looked for.
CREATE INDEX "users_admin_idx" ON "users"("id") WHERE "role" = 'ADMIN';

-- ---------------------------------------------------------------- what staff did is not rewritten

CREATE FUNCTION "staff_actions_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'staff_actions is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER "staff_actions_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "staff_actions"
    FOR EACH STATEMENT EXECUTE FUNCTION "staff_actions_append_only"();

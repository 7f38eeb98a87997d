-- From prisma/schema.prisma by "npm run migrate:new -- accounts". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- CreateEnum
CREATE TYPE "role" AS ENUM ('CUSTOMER', 'STAFF', 'ADMIN');

-- AlterTable
ALTER TABLE "carts" ADD COLUMN     "merged_into_id" UUID,
ADD COLUMN     "user_id" UUID,
ALTER COLUMN "guest_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "user_id" UUID,
ALTER COLUMN "guest_id" DROP NOT NULL;

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "role" "role" NOT NULL DEFAULT 'CUSTOMER',
    "email_verified_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "last_used_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "hash" BYTEA NOT NULL,
    "session_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "spent_at" TIMESTAMPTZ(6),

    CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE INDEX "sessions_user_id_created_at_idx" ON "sessions"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "refresh_tokens_session_id_idx" ON "refresh_tokens"("session_id");

-- CreateIndex
CREATE INDEX "carts_user_id_idx" ON "carts"("user_id");

-- CreateIndex
CREATE INDEX "orders_user_id_placed_at_id_idx" ON "orders"("user_id", "placed_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "orders_user_id_idempotency_key_key" ON "orders"("user_id", "idempotency_key");

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_merged_into_id_fkey" FOREIGN KEY ("merged_into_id") REFERENCES "carts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ================================================================ by hand: what Prisma's schema cannot say

-- ---------------------------------------------------------------- rules that one row can express

ALTER TABLE "users"
    ADD CONSTRAINT "users_email_check" CHECK ("email" ~ '^[^[:space:][:cntrl:]]+@[^[:space:][:cntrl:]]+$' AND length("email") <= 254),
    ADD CONSTRAINT "users_name_check" CHECK (btrim("name") <> '' AND length("name") <= 200),
    -- bcrypt's own form: nothing else is ever kept here, least of all a password.
    ADD CONSTRAINT "users_password_hash_check" CHECK ("password_hash" ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$');

ALTER TABLE "sessions"
    ADD CONSTRAINT "sessions_user_agent_check" CHECK (length("user_agent") <= 300),
    ADD CONSTRAINT "sessions_times_check" CHECK ("last_used_at" >= "created_at" AND "expires_at" > "created_at");

ALTER TABLE "refresh_tokens"
    ADD CONSTRAINT "refresh_tokens_hash_check" CHECK (octet_length("hash") = 32);

ALTER TABLE "carts"
    ADD CONSTRAINT "carts_owner_check" CHECK (num_nonnulls("guest_id", "user_id") = 1),
    ADD CONSTRAINT "carts_merged_into_check" CHECK ("merged_into_id" IS NULL OR ("status" = 'MERGED' AND "merged_into_id" <> "id"));

ALTER TABLE "orders"
    ADD CONSTRAINT "orders_owner_check" CHECK (num_nonnulls("guest_id", "user_id") = 1);

-- ---------------------------------------------------------------- indexes on expressions, partial indexes

-- One account an address, whatever its capitals.
CREATE UNIQUE INDEX "users_email_key" ON "users"(lower("email"));

-- One live cart a user, as of guests: two devices that log in at once share it.
CREATE UNIQUE INDEX "carts_user_id_active_key" ON "carts"("user_id") WHERE "status" = 'ACTIVE';

-- ---------------------------------------------------------------- storage

-- Rotated at each use: room on the page for the mark on the one that was spent, and on its session.
ALTER TABLE "sessions" SET (fillfactor = 70);
ALTER TABLE "refresh_tokens" SET (fillfactor = 80);

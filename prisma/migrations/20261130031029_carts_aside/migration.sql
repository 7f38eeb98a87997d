-- A cart that cannot join the live cart of its user yet, because a payment for one of the two is in progress. It has no other owner
-- meanwhile, so that a user still has one live cart.

-- AlterTable
ALTER TABLE "carts" ADD COLUMN     "aside_for_id" UUID;

-- AddForeignKey
ALTER TABLE "carts" ADD CONSTRAINT "carts_aside_for_id_fkey" FOREIGN KEY ("aside_for_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- By hand: a cart that is over belongs to its user like any other.
ALTER TABLE "carts"
    DROP CONSTRAINT "carts_owner_check",
    ADD CONSTRAINT "carts_owner_check" CHECK (num_nonnulls("guest_id", "user_id", "aside_for_id") = 1),
    ADD CONSTRAINT "carts_aside_check" CHECK ("aside_for_id" IS NULL OR "status" = 'ACTIVE');

CREATE INDEX "carts_aside_for_id_idx" ON "carts"("aside_for_id") WHERE "aside_for_id" IS NOT NULL;

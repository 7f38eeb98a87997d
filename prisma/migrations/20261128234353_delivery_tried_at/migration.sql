-- From prisma/schema.prisma by "npm run migrate:new -- delivery_tried_at". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- AlterTable
ALTER TABLE "webhook_deliveries" ADD COLUMN     "tried_at" TIMESTAMPTZ(6);

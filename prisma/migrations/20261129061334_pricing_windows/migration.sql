-- From prisma/schema.prisma by "npm run migrate:new -- pricing_windows". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- AlterTable
ALTER TABLE "pricing_version" ADD COLUMN     "announced_until" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- From prisma/schema.prisma by "npm run migrate:new -- event_log_home". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- AlterTable
ALTER TABLE "event_sequence" ADD COLUMN     "home" TEXT;

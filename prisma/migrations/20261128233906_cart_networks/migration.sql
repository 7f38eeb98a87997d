-- From prisma/schema.prisma by "npm run migrate:new -- cart_networks". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- AlterTable
ALTER TABLE "carts" ADD COLUMN     "networks" TEXT[] DEFAULT ARRAY[]::TEXT[];

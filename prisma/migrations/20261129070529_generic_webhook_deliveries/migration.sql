-- From prisma/schema.prisma by "npm run migrate:new -- generic_webhook_deliveries", and by hand: columns are renamed, values are
-- kept, and the CHECK. Deliveries come from any system now, and may concern any object of the shop.

ALTER TABLE "webhook_deliveries" DROP CONSTRAINT "webhook_deliveries_product_id_fkey";

ALTER TABLE "webhook_deliveries" RENAME COLUMN "entry_id" TO "subject";
ALTER TABLE "webhook_deliveries" ALTER COLUMN "subject" DROP NOT NULL;

ALTER TABLE "webhook_deliveries" RENAME COLUMN "product_id" TO "object_id";
ALTER TABLE "webhook_deliveries" ADD COLUMN     "object_type" TEXT;
UPDATE "webhook_deliveries" SET "object_type" = 'Product' WHERE "object_id" IS NOT NULL;

ALTER TABLE "webhook_deliveries"
    ADD CONSTRAINT "webhook_deliveries_object_check" CHECK (("object_type" IS NULL) = ("object_id" IS NULL));

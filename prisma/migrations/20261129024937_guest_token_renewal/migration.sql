-- From prisma/schema.prisma by "npm run migrate:new -- guest_token_renewal", and by hand: the CHECK.

ALTER TABLE "guests" ADD COLUMN     "former_id" UUID,
ADD COLUMN     "replaced_at" TIMESTAMPTZ(6);

ALTER TABLE "guests" ADD CONSTRAINT "guests_replaced_check" CHECK (("former_id" IS NULL) = ("replaced_at" IS NULL));

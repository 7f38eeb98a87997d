-- The version of a tax rate, by which two editors of one rate learn of each other. Existing rates get the time of the migration.
ALTER TABLE "tax_rates" ADD COLUMN "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- From prisma/schema.prisma by "npm run migrate:new -- product_imports". Read it before you commit it: what was renamed stands
-- here as dropped and added. CHECKs, generated columns, partial indexes and triggers are added by hand.

-- CreateEnum
CREATE TYPE "product_import_status" AS ENUM ('UPLOADING', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateTable
CREATE TABLE "product_imports" (
    "id" UUID NOT NULL,
    "file_name" TEXT NOT NULL,
    "status" "product_import_status" NOT NULL DEFAULT 'UPLOADING',
    "dry_run" BOOLEAN NOT NULL DEFAULT true,
    "size_bytes" INTEGER NOT NULL DEFAULT 0,
    "is_file_kept" BOOLEAN NOT NULL DEFAULT true,
    "runner" UUID,
    "heartbeat_at" TIMESTAMPTZ(6),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "row_count" INTEGER,
    "done_rows" INTEGER NOT NULL DEFAULT 0,
    "done_products" INTEGER NOT NULL DEFAULT 0,
    "created" INTEGER NOT NULL DEFAULT 0,
    "changed" INTEGER NOT NULL DEFAULT 0,
    "unchanged" INTEGER NOT NULL DEFAULT 0,
    "rejected" INTEGER NOT NULL DEFAULT 0,
    "findings" INTEGER NOT NULL DEFAULT 0,
    "unknown_columns" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "fault" TEXT,
    "actor_id" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "product_imports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "product_import_pieces" (
    "import_id" UUID NOT NULL,
    "offset" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "product_import_pieces_pkey" PRIMARY KEY ("import_id","offset")
);

-- CreateTable
CREATE TABLE "product_import_findings" (
    "import_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "row" INTEGER NOT NULL,
    "handle" TEXT NOT NULL,
    "column" TEXT,
    "message" TEXT NOT NULL,

    CONSTRAINT "product_import_findings_pkey" PRIMARY KEY ("import_id","number")
);

-- CreateIndex
CREATE INDEX "product_imports_created_at_id_idx" ON "product_imports"("created_at" DESC, "id" DESC);

-- AddForeignKey
ALTER TABLE "product_imports" ADD CONSTRAINT "product_imports_actor_id_fkey" FOREIGN KEY ("actor_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_import_pieces" ADD CONSTRAINT "product_import_pieces_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "product_imports"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_import_findings" ADD CONSTRAINT "product_import_findings_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "product_imports"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Runs that are under way, for the sweep that finds those whose process is gone.
CREATE INDEX "product_imports_open_idx" ON "product_imports" ("updated_at") WHERE "status" IN ('QUEUED', 'RUNNING');

ALTER TABLE "product_imports"
  ADD CONSTRAINT "product_imports_size_check" CHECK ("size_bytes" >= 0 AND "size_bytes" <= 20000000),
  ADD CONSTRAINT "product_imports_counts_check" CHECK (
    "done_rows" >= 0 AND "done_products" >= 0 AND "findings" >= 0
    AND "created" + "changed" + "unchanged" + "rejected" = "done_products"),
  ADD CONSTRAINT "product_imports_runner_check" CHECK ("status" <> 'RUNNING' OR ("runner" IS NOT NULL AND "heartbeat_at" IS NOT NULL)),
  ADD CONSTRAINT "product_imports_fault_check" CHECK (("status" = 'FAILED') = ("fault" IS NOT NULL));
ALTER TABLE "product_import_findings"
  ADD CONSTRAINT "product_import_findings_kind_check" CHECK ("kind" IN ('REJECTION', 'NOTE'));

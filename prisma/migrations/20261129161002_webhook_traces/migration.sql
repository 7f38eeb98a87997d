-- The trace of the call that brought a delivery, by which a sweep continues it. The default is that of `mails.traceparent`.

-- AlterTable
ALTER TABLE "webhook_deliveries" ADD COLUMN     "traceparent" TEXT DEFAULT NULLIF(current_setting('vitrine.traceparent'::text, true), ''::text);

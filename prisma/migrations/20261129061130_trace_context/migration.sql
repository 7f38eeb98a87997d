-- From prisma/schema.prisma by "npm run migrate:new -- trace_context".

ALTER TABLE "event_log" ADD COLUMN     "traceparent" TEXT DEFAULT NULLIF(current_setting('vitrine.traceparent'::text, true), ''::text);

ALTER TABLE "mails" ADD COLUMN     "traceparent" TEXT DEFAULT NULLIF(current_setting('vitrine.traceparent'::text, true), ''::text);

-- By hand: Prisma's schema knows no partial indexes.

-- Who comes back to a few subjects reads theirs alone. Only what is numbered: so an event enters once, when it gets its number.
CREATE INDEX "event_log_subject_id_seq_idx" ON "event_log"("subject_id", "seq") WHERE "seq" IS NOT NULL;

-- Payments with a refund that the provider has not confirmed: each worker looks for them every few seconds.
CREATE INDEX "payments_refund_pending_idx" ON "payments"("id") WHERE "refund_pending_minor" > 0;

-- Payments that staff must look at.
CREATE INDEX "payments_problem_idx" ON "payments"("created_at" DESC, "id" DESC) WHERE "problem" IS NOT NULL;

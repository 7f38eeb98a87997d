import { z } from 'zod';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { MailSending } from './mail-sending.ts';

const payload = z.object({ mailId: z.guid() });

export type MailPayload = z.infer<typeof payload>;

/** The job that sends one mail. Whether it is to be sent, and what becomes of it, stands in its row. */
export function createMailJob(sending: MailSending): Job<MailPayload> {
  return defineJob({
    name: 'mail',
    schema: payload,
    // A server that is slow keeps each of them for half a minute at most.
    concurrency: 8,
    async run({ mailId }, { signal, logger }) {
      signal.throwIfAborted();
      await sending.send(mailId, { signal, logger });
    },
  });
}

/**
 * The id of a mail's job. Enqueued twice, the same attempt is one job; the next try, which is due at another time, is another job and
 * is not taken for the one before.
 */
export function mailJobId(mailId: string, at: Date): string {
  return `mail-${mailId}-${at.getTime()}`;
}

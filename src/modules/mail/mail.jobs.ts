import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import { createKeyedQueue, type Turn } from '../../infra/limits/keyed-semaphore.ts';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { MailSending } from './mail-sending.ts';

const payload = z.union([
  z.object({ mailIds: z.array(z.guid()).min(1) }),
  // As jobs were before they had several emails; queues may still hold some.
  z.object({ mailId: z.guid() }).transform(({ mailId }) => ({ mailIds: [mailId] })),
]);

export type MailPayload = z.infer<typeof payload>;

/** Emails of one job. More would keep them from other worker processes, which may be idle. */
export const MAILS_PER_JOB = 25;

/** Emails that a process sends at a time. A server that is slow keeps each of them for half a minute at most. */
const AT_A_TIME = 8;

/** The job that sends emails. Whether they are to be sent, and what becomes of them, stands in their rows. */
export function createMailJob(sending: MailSending): Job<MailPayload> {
  const line = createKeyedQueue({ atATime: AT_A_TIME, waiting: Infinity });

  return defineJob({
    name: 'mail',
    schema: payload,
    concurrency: AT_A_TIME,
    async run({ mailIds }, { signal, logger }) {
      const faults: unknown[] = [];
      const waiting = new Set<Turn>();
      const send = async (mailId: string) => {
        const turn = line.enter('');
        if (turn !== null && !signal.aborted) {
          waiting.add(turn);
          await turn.come;
          waiting.delete(turn);
        }
        try {
          if (faults.some((fault) => isDatabaseAway(fault))) return;
          signal.throwIfAborted();
          await sending.send(mailId, { signal, logger });
        } catch (error) {
          faults.push(error);
        } finally {
          turn?.leave();
        }
      };
      // When the shop closes, emails that have not begun give up their places, so that a job without any others goes back to the queue at
      // once, whatever the emails of other jobs wait for.
      const giveUp = () => waiting.forEach((turn) => turn.leave());
      signal.addEventListener('abort', giveUp, { once: true });
      // One that fails does not hold up the others. With the next try of the job, those that were sent are passed over.
      await Promise.all(mailIds.map(send));
      signal.removeEventListener('abort', giveUp);
      if (faults.includes(signal.reason)) signal.throwIfAborted();
      if (faults.length > 0) throw faults.find((fault) => isDatabaseAway(fault)) ?? faults[0];
    },
  });
}

/**
 * The id of the job of emails that are due at the same time. Enqueued twice, the same emails are one job, whatever their order; the next
 * try, which is due at another time, is another job and is not taken for the one before. A job of other emails has another id even if it
 * has one of these emails, too: the queue would otherwise take it for this one, and drop it.
 */
export function mailJobId(mailIds: readonly string[], at: Date): string {
  const [first, ...others] = mailIds.toSorted();
  const rest = others.length === 0 ? '' : `-${createHash('sha256').update(others.join()).digest('hex').slice(0, 16)}`;
  return `mail-${first}-${at.getTime()}${rest}`;
}

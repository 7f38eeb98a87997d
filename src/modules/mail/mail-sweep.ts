import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database, Queryable } from '../../infra/postgres/database.ts';
import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import { MAILS_PER_JOB } from './mail.jobs.ts';
import type { MailSending } from './mail-sending.ts';
import { findWaiting, pruneMails, type WaitingMail } from './mail-sending.repository.ts';

/*
 * What was not nudged, or whose nudge was lost, or whose sender died, is found here: in each worker process, now and then.
 * The job queue gets it first; where that is away, or let it lie for a minute, it is sent from here.
 */

const INTERVAL_MS = 10_000;
/** Mails looked at in one go. */
const PAGE = 100;
/** Younger ones are on their way. */
const WAITING_S = 5;
/** The queue had its chance. */
const OVERDUE_MS = 60_000;
/** Sent from here at the same time. */
const AT_ONCE = 4;

/**
 * Enqueues the job of some emails, in the trace of their cause.
 * @param since when the first of them could have been sent
 * @returns whether the queue took it
 */
export type NudgeMails = (mailIds: readonly string[], since: Date, traceparent: string | null) => Promise<boolean>;

/** Parts emails that share a job: those that are not traced, and each that is. */
function byJob(waiting: readonly WaitingMail[]): WaitingMail[][] {
  const jobs = waiting.filter(({ traceparent }) => traceparent !== null).map((mail) => [mail]);
  const others = waiting.filter(({ traceparent }) => traceparent === null);
  for (let from = 0; from < others.length; from += MAILS_PER_JOB) jobs.push(others.slice(from, from + MAILS_PER_JOB));
  return jobs;
}

/**
 * Sees to mails that have been waiting.
 * @returns how many it sent, or tried to, by itself
 */
export async function sweepMails(options: {
  db: Queryable;
  sending: MailSending;
  nudge: NudgeMails;
  signal: AbortSignal;
  logger: Logger;
}): Promise<number> {
  const { db, sending, nudge, signal, logger } = options;
  let tried = 0;

  /** Whether something was done with it. One that fails does not hold up the others: it comes again with the next sweep. */
  async function sendOne({ id }: WaitingMail): Promise<boolean> {
    try {
      return (await sending.send(id, { signal, logger })) !== 'NOTHING';
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      logger.error({ err: error, mailId: id }, 'email could not be processed; retrying');
      return false;
    }
  }

  for (;;) {
    const waiting = await findWaiting(db, WAITING_S, PAGE);
    const left: WaitingMail[] = [];
    for (const mails of byJob(waiting)) {
      const [first] = mails;
      if (signal.aborted || first === undefined) return tried;
      const ids = mails.map(({ id }) => id);
      const taken = await nudge(ids, first.since, first.traceparent);
      left.push(...mails.filter(({ forMs }) => !taken || forMs > OVERDUE_MS));
    }
    let done = 0;
    const work = async () => {
      for (let mail = left.shift(); mail !== undefined && !signal.aborted; mail = left.shift()) {
        if (await sendOne(mail)) done += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    tried += done;
    // What could be done from here was done: the rest is the queue's, or comes next time.
    if (done === 0 || waiting.length < PAGE || signal.aborted) return tried;
  }
}

/** A mail may be on its way to a slow server. */
const CLOSE_WITHIN_MS = 5_000;

/** Sweeps right at the start, and then each ten seconds. */
export function startMailSweep(options: {
  db: Database;
  sending: MailSending;
  nudge: NudgeMails;
  logger: Logger;
}): AsyncDisposable {
  return every({
    ms: INTERVAL_MS,
    atOnce: true,
    failed: 'mails that wait could not be looked for',
    logger: options.logger,
    closeWithinMs: CLOSE_WITHIN_MS,
    async run(signal) {
      await sweepMails({ ...options, signal });
    },
  });
}

/** They hold addresses. By then no event can call for them again: the log does not reach back as far. */
export const MAILS_KEPT_DAYS = 90;
const PRUNE_INTERVAL_MS = 10 * 60_000;
const PRUNE_BATCH = 500;

/** Deletes mails that were settled ninety days ago, in small batches; gives how many. */
export async function pruneOldMails(options: { db: Queryable; days: number; signal?: AbortSignal }): Promise<number> {
  const { db, days, signal } = options;
  for (let pruned = 0; ;) {
    const gone = await pruneMails(db, days, PRUNE_BATCH);
    pruned += gone;
    if (gone < PRUNE_BATCH || signal?.aborted === true) return pruned;
  }
}

/** Prunes right at the start, and then each ten minutes; never what the log of events could still call for. */
export function startMailPruning(options: {
  db: Database;
  eventRetentionDays: number;
  logger: Logger;
}): AsyncDisposable {
  const { db, eventRetentionDays, logger } = options;
  const days = Math.max(MAILS_KEPT_DAYS, eventRetentionDays + 1);
  return every({
    ms: PRUNE_INTERVAL_MS,
    atOnce: true,
    failed: 'old mails could not be pruned',
    logger,
    async run(signal) {
      const mails = await pruneOldMails({ db, days, signal });
      if (mails > 0) logger.info({ mails }, 'old emails deleted');
    },
  });
}

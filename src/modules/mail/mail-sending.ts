import { setTimeout as delay } from 'node:timers/promises';
import { createCombiner } from '../../infra/combiner.ts';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { MailFault, SEND_WITHIN_MS, withoutAddresses, withoutLinks, type Mailer } from '../../infra/mail/mailer.ts';
import type { Tracer } from '../../infra/tracing/tracer.ts';
import { within } from '../../infra/within.ts';
import type { Nudges } from '../module.ts';
import * as repository from './mail-sending.repository.ts';
import type { ClaimedMail } from './mail-sending.repository.ts';
import type { Letter, Letters } from './mail.types.ts';

/*
 * A mail is claimed, composed, handed over and recorded. Who dies on the way leaves a claim that runs out, and another one
 * sends it. It goes out twice only where it was handed over and the server's answer, or the process that had it, was lost
 * before it was recorded: then under the same Message-ID.
 */

/** A claim outlasts composing and handing over, with time to record it. */
const CLAIM_S = 90;
const COMPOSE_WITHIN_MS = 20_000;
/** Recording is tried for as long as the claim holds. */
const RECORD_WITHIN_MS = CLAIM_S * 1000 - COMPOSE_WITHIN_MS - SEND_WITHIN_MS;
const RECORD_EVERY_MS = 500;
/** Statements that are shared by emails. One at a time, and an email is in it once. */
const SHARED = { most: 100, lanes: 1, withinMs: 30_000, keyOf: (id: string) => id } as const;

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
/** Before each further try; after the last of them it is given up, a day after the first. */
export const BACKOFF_S: readonly number[] = [
  MINUTE_S,
  5 * MINUTE_S,
  15 * MINUTE_S,
  HOUR_S,
  2 * HOUR_S,
  4 * HOUR_S,
  8 * HOUR_S,
  8 * HOUR_S,
];

/** Outcome of a call to send an email. NOTHING: it was settled, is not due, or another process has it. */
export type MailOutcome = 'SENT' | 'SKIPPED' | 'FAILED' | 'POSTPONED' | 'NOTHING';

export interface MailRun {
  /** Aborted when the shop closes. What is under way is still done, as long as the process lives. */
  signal: AbortSignal;
  logger: Logger;
}

/** Sends mails that stand in rows. */
export interface MailSending {
  /** Sends one mail, if it is its turn. Throws only where the database does. */
  send(mailId: string, run: MailRun): Promise<MailOutcome>;
}

/** Wires it. */
export function createMailSending(deps: {
  db: Database;
  mailer: Mailer;
  letters: Letters;
  nudges: Pick<Nudges, 'mail'>;
  tracer?: Tracer | null;
}): MailSending {
  const { db, mailer, letters, nudges, tracer = null } = deps;

  // Those that are to be claimed while others are, or recorded, share the next statement and its commit.
  const claims = createCombiner<string, ClaimedMail | null>({
    ...SHARED,
    async run(ids) {
      const claimed = await repository.claimMails(db, ids, CLAIM_S);
      const byId = new Map(claimed.map((mail) => [mail.id, mail]));
      return ids.map((id) => ({ status: 'fulfilled', value: byId.get(id) ?? null }));
    },
  });
  const records = createCombiner<string, null>({
    ...SHARED,
    async run(ids) {
      await repository.settleSent(db, ids);
      return ids.map(() => ({ status: 'fulfilled', value: null }));
    },
  });

  async function attempt(mail: ClaimedMail): Promise<'SENT' | 'SKIPPED'> {
    const { id, messageId, at, recipient: to } = mail;
    const letter = await compose(mail);
    if (letter === null) return 'SKIPPED';
    const { subject, html, text, unsubscribeUrl } = letter;
    await mailer.send({ id, messageId, at, to, subject, html, text, unsubscribeUrl });
    return 'SENT';
  }

  async function compose(mail: ClaimedMail): Promise<Letter | null> {
    const { id, cause, template, recipient, userId, data, messageId } = mail;
    try {
      const composing = letters.compose({ id, cause, template, recipient, userId, data, messageId });
      return await within(COMPOSE_WITHIN_MS, composing, 'it took too long');
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      throw new MailFault(`the email could not be rendered: ${(error as Error).message}`, { permanent: false });
    }
  }

  /** A mail that the server took must not be sent again for a database that is away for a moment. */
  async function recordSent(mail: ClaimedMail, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + RECORD_WITHIN_MS;
    for (;;) {
      try {
        await records.submit(mail.id);
        return;
      } catch (error) {
        if (signal.aborted || performance.now() > deadline) throw error;
        await delay(RECORD_EVERY_MS);
      }
    }
  }

  async function recordFault(mail: ClaimedMail, fault: MailFault, logger: Logger): Promise<MailOutcome> {
    const seconds = BACKOFF_S[mail.attempts - 1];
    // Never more than its id: what it says, and to whom, is nobody's business here.
    const reason = withoutAddresses(fault.message);
    const line = { mailId: mail.id, template: mail.template, attempts: mail.attempts, reason };
    if (fault.permanent || seconds === undefined) {
      const why = fault.permanent ? fault.message : `gave up after ${mail.attempts} attempts: ${fault.message}`;
      await repository.settleUnsent(db, mail, 'FAILED', why);
      logger.error(line, 'email could not be sent; it is listed among the failed emails');
      return 'FAILED';
    }
    const due = await repository.postponeMail(db, mail, seconds, fault.message);
    if (due !== null) nudges.mail([mail.id], seconds * 1000, due);
    logger.warn(line, 'email could not be sent yet; retrying');
    return 'POSTPONED';
  }

  async function sendClaimed(mail: ClaimedMail, { signal, logger }: MailRun): Promise<MailOutcome> {
    // Each process that claimed it ended without an outcome: the email itself may be the cause.
    if (mail.attempts > BACKOFF_S.length + 1) {
      const fault = new MailFault('the sending process did not report back', { permanent: false });
      return recordFault({ ...mail, attempts: mail.attempts - 1 }, fault, logger);
    }
    let outcome: 'SENT' | 'SKIPPED';
    try {
      outcome = await attempt(mail);
    } catch (error) {
      if (isDatabaseAway(error)) {
        // Where the claim cannot be given back it runs out; the mail was not sent, so it may be claimed again.
        await repository.giveMailBack(db, mail).catch(() => {});
        throw error;
      }
      const fault =
        error instanceof MailFault
          ? error
          : new MailFault(withoutLinks((error as Error).message), { permanent: false });
      return recordFault(mail, fault, logger);
    }
    if (outcome === 'SENT') await recordSent(mail, signal);
    else await repository.settleUnsent(db, mail, 'SKIPPED', null);
    logger.debug({ mailId: mail.id, template: mail.template, outcome }, 'a mail is done with');
    return outcome;
  }

  return {
    async send(mailId, run) {
      const mail = await claims.submit(mailId);
      if (mail === null) return 'NOTHING';
      if (tracer === null) return sendClaimed(mail, run);
      // A job has a span already; the sweep has none.
      const parent = tracer.traceparent() === null ? { parent: mail.traceparent } : {};
      const options = { kind: 'client', attributes: { 'vitrine.mail.id': mail.id }, ...parent } as const;
      return tracer.run(`mail ${mail.template}`, options, async () => {
        const outcome = await sendClaimed(mail, run);
        tracer.annotate({ 'vitrine.mail.outcome': outcome });
        return outcome;
      });
    },
  };
}

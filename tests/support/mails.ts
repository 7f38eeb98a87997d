import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/infra/postgres/database.ts';
import { readClock } from '../../src/infra/postgres/clock.ts';
import type { MailService } from '../../src/modules/mail/mail.service.ts';
import type { Letter, Letters, NewMail } from '../../src/modules/mail/mail.types.ts';
import { rowsOf } from './books.ts';
import { known } from './known.ts';

interface MailWorld {
  db: Database;
  app: { services: { mails: MailService } };
}

/** Writes a mail down, as a consumer does; gives its row's id. */
export async function writeMail({ db, app }: MailWorld, mail: Partial<NewMail> = {}): Promise<string> {
  const cause = mail.cause ?? `event:test-${randomUUID()}`;
  await db.transaction(async (tx) =>
    app.services.mails.write(tx, await readClock(tx), [
      { template: 'order-placed', recipient: 'ada@example.com', userId: null, data: {}, ...mail, cause },
    ]),
  );
  const [row] = await rowsOf<{ id: string }>(db, 'SELECT id FROM mails WHERE cause = $1', [cause]);
  return known(row).id;
}

/** Changes a mail's row behind the shop's back, as time does, or somebody who died. */
export async function setMail({ db }: { db: Database }, id: string, assignments: string): Promise<void> {
  await rowsOf(db, `UPDATE mails SET ${assignments} WHERE id = $1`, [id]);
}

/** So much time went by: a mail that waits, or is claimed by somebody, could have been sent for that long. */
export function letTimePass(world: { db: Database }, id: string, by = '2 minutes'): Promise<void> {
  return setMail(
    world,
    id,
    `due_at = clock_timestamp() - '${by}'::interval, claimed_until = claimed_until - (claimed_until - clock_timestamp()) - '${by}'::interval`,
  );
}

export interface MailState {
  status: string;
  attempts: number;
  error: string | null;
  claimed: boolean;
  settled: boolean;
  /** Seconds until it is due, rounded. */
  dueIn: number;
}

/** What has become of it. */
export async function mailState({ db }: { db: Database }, id: string): Promise<MailState> {
  const [row] = await rowsOf<MailState>(
    db,
    `SELECT status, attempts, error, claimed_until IS NOT NULL AS claimed, settled_at IS NOT NULL AS settled,
            round(extract(epoch FROM due_at - clock_timestamp()))::int AS "dueIn" FROM mails WHERE id = $1`,
    [id],
  );
  return known(row);
}

/** What a letter says where a test does not care. */
export const LETTER: Letter = {
  subject: 'Your order',
  text: 'It is on its way: https://shop.example/order?token=secret-in-a-link',
  html: '<p>It is on its way.</p>',
  unsubscribeUrl: null,
};

/** Letters that all say the same, or what a test has them say. */
export function lettersOf(compose: Partial<Letter> | null | Letters['compose'] = {}): Letters {
  if (typeof compose === 'function') return { compose };
  return { compose: () => Promise.resolve(compose === null ? null : { ...LETTER, ...compose }) };
}

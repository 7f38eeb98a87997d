import type { NewEvent, StoredEvent } from '../../src/events/event.ts';
import { toStoredEvent, type EventLog, type EventRow } from '../../src/events/event-log.ts';
import type { Relay } from '../../src/events/relay.ts';
import type { Database } from '../../src/infra/postgres/database.ts';
import { createLetters } from '../../src/modules/mail/letters.ts';
import { createMailNotices } from '../../src/modules/mail/mail-notices.consumer.ts';
import type { Letters, MailRow } from '../../src/modules/mail/mail.types.ts';
import { rendersHere } from './letter-renderer.ts';
import type { QuietShop } from './quiet-shop.ts';
import { rowsOf } from './books.ts';

/** A mail as it stands in its row. */
export type Mail = MailRow & { cause: string };

const SELECT = `SELECT id, cause, template, recipient, user_id AS "userId", data, message_id AS "messageId" FROM mails`;

/** The mails that are written down, the oldest first. */
export function mailsOf({ db }: { db: Database }): Promise<Mail[]> {
  return rowsOf<Mail>(db, `${SELECT} ORDER BY created_at, id`);
}

/** Mails in short: template and recipient. */
export function inShort(mails: readonly Mail[]): [string, string][] {
  return mails.map(({ template, recipient }) => [template, recipient]);
}

/** Appends events as their writers would. */
export async function appendEvents(
  { db, eventLog }: { db: Database; eventLog: EventLog },
  ...events: NewEvent[]
): Promise<void> {
  await db.transaction((tx) => eventLog.append(tx, new Date(), events));
}

/** Has every event so far handled by the consumer, so many times over; gives the mails that came of it in all. */
export async function takeNotice(shop: QuietShop, { times = 1 } = {}): Promise<Mail[]> {
  const relay: Relay = shop.app.relay;
  await relay.flush();
  const consumer = createMailNotices(shop.app.services);
  const rows = await rowsOf<EventRow>(
    shop.db,
    `SELECT seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt" FROM event_log
      WHERE seq IS NOT NULL ORDER BY seq`,
  );
  const events: StoredEvent[] = rows.map(toStoredEvent).filter((event) => consumer.types.includes(event.type));
  for (let round = 0; round < times; round += 1) {
    for (const event of events) await shop.db.transaction((tx) => consumer.handle(tx, event));
  }
  return mailsOf(shop);
}

/** Who writes letters, as the shop's own do; the token of a password's reset is the one given. */
export function openLetters(shop: QuietShop, resetToken: string | null = 'the-token-of-a-reset'): Letters {
  const { db, config, app } = shop;
  return createLetters({
    db,
    shop: config.shop,
    publicUrl: app.url,
    renderer: rendersHere,
    services: {
      ...app.services,
      accounts: { ...app.services.accounts, passwordResetToken: async () => resetToken },
    },
  });
}

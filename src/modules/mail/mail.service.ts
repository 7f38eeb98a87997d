import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Queryable, Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { Nudges } from '../module.ts';
import { changesBetween, type StaffService } from '../staff/staff.service.ts';
import { refuse } from '../user-error.ts';
import * as repository from './mail.repository.ts';
import type { MailQuery, MailRecord } from './mail.repository.ts';
import { findUnwanted, type Asked } from './mail-settings.repository.ts';
import type { NewMail } from './mail.types.ts';

export type { MailQuery, MailRecord } from './mail.repository.ts';

/** Mails as rows: what is to be sent, and what became of it. */
export interface MailService {
  /**
   * Writes mails down in the transaction of what calls for them; they are sent after its commit. Twice for the same cause,
   * template and recipient is once.
   * @returns how many are new
   */
  write(tx: Transaction, at: Date, mails: readonly NewMail[]): Promise<number>;
  /** The indices of the mails that their recipients have turned off, by account or by address. */
  unwanted(source: Queryable, mails: readonly Asked[]): Promise<Set<number>>;
  /** Mails, the newest first. */
  page(query: MailQuery, page: PageRequest): Promise<Page<MailRecord>>;
  count(query: MailQuery): Promise<number>;
  byIds(ids: readonly string[]): Promise<MailRecord[]>;
  /**
   * Has an email that failed for good sent again, at the request of staff.
   * @throws Refusal with NOT_FOUND, or with CONFLICT where it did not fail
   */
  retry(id: string, actorId: string): Promise<MailRecord>;
}

/** Wires mails. */
export function createMailService(deps: {
  db: Database;
  staff: StaffService;
  nudges: Pick<Nudges, 'mail'>;
  /** The sender: an address, alone or after a name. */
  from: string;
}): MailService {
  const { db, staff, nudges } = deps;
  const domain = /@([^@>]+)>?$/.exec(deps.from)?.[1] ?? 'localhost';
  return {
    async write(tx, at, mails) {
      if (mails.length === 0) return 0;
      const ids = await repository.insertMails(tx, at, mails, domain);
      if (ids.length > 0) tx.afterCommit(() => nudges.mail(ids, 0, at));
      return ids.length;
    },

    unwanted: findUnwanted,
    page: (query, page) => repository.findMailPage(db, query, page),
    count: (query) => repository.countMails(db, query),
    byIds: (ids) => repository.findMails(db, ids),

    retry: (id, actorId) =>
      db.transaction(async (tx) => {
        const mail = await repository.lockMail(tx, id);
        if (mail === null) return refuse('NOT_FOUND', 'Email not found.', ['id']);
        if (mail.status !== 'FAILED') {
          return refuse('CONFLICT', `Only a failed email can be sent again; this one is ${mail.status}.`, ['id']);
        }
        const at = await readClock(tx);
        await repository.sendAnew(tx, at, id);
        const after = { status: 'PENDING', attempts: 0, error: null } as const;
        const changes = changesBetween(mail, after);
        await staff.record(tx, at, { actorId, kind: 'MAIL_RETRIED', subject: { type: 'Mail', id }, changes });
        tx.afterCommit(() => nudges.mail([id], 0, at));
        return { ...mail, ...after, dueAt: at, settledAt: null };
      }),
  };
}

import type { Transaction } from '../../infra/database.ts';
import type { Nudges } from '../nudges.ts';
import { insertMails } from './mail.repository.ts';
import type { NewMail } from './mail.types.ts';

/** Mails as rows: what is to be sent, and what became of it. */
export interface MailService {
  /**
   * Writes mails down in the transaction of what calls for them; they are sent after its commit. Twice for the same cause,
   * template and recipient is once.
   * @returns how many are new
   */
  write(tx: Transaction, at: Date, mails: readonly NewMail[]): Promise<number>;
}

/** Wires mails. */
export function createMailService(deps: {
  nudges: Pick<Nudges, 'mail'>;
  /** The sender: an address, alone or after a name. */
  from: string;
}): MailService {
  const { nudges } = deps;
  const domain = /@([^@>]+)>?$/.exec(deps.from)?.[1] ?? 'localhost';
  return {
    async write(tx, at, mails) {
      if (mails.length === 0) return 0;
      const ids = await insertMails(tx, at, mails, domain);
      tx.afterCommit(() => {
        for (const id of ids) nudges.mail(id, 0);
      });
      return ids.length;
    },
  };
}

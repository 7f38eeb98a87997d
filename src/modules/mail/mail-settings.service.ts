import type { Database, Queryable } from '../../infra/postgres/database.ts';
import { createSigner } from '../../infra/signer.ts';
import * as repository from './mail-settings.repository.ts';
import { mailKinds, mailTemplates, type MailKind, type MailTemplate } from './mail.types.ts';
import type { StockAlertService } from '../stock-alerts/stock-alert.service.ts';
import { readUnsubscription, signUnsubscription, type Unsubscription } from './unsubscribe-token.ts';

/** The kinds of email that a user receives. */
export type MailSettings = Readonly<Record<MailKind, boolean>>;

/** Settings of users for the kinds of email that can be turned off. */
export interface MailSettingsService {
  /** Those of the mails that are wanted: the needed ones, and what was not turned off. */
  wanted<M extends Addressed>(source: Queryable, mails: readonly M[]): Promise<M[]>;
  /** What a user takes. */
  of(userId: string): Promise<MailSettings>;
  /** Turns kinds on and off for a user; what is left out stays. */
  update(userId: string, change: Partial<MailSettings>): Promise<void>;
  /** The token of the link that turns a kind off for an address. */
  unsubscribeToken(email: string, kind: MailKind): string;
  /** What a token turns off, and whether it is off already; null: it is no token of ours. */
  readUnsubscribeToken(token: string): Promise<(Unsubscription & { isOff: boolean }) | null>;
  /** Turns it off: for the account that has the address, else for the address, which then waits for nothing either. */
  unsubscribe(of: Unsubscription): Promise<void>;
  /** Turns it on again. What was waited for stays called off. */
  resubscribe(of: Unsubscription): Promise<void>;
}

/** A mail as far as it matters whether it is wanted. */
interface Addressed {
  template: MailTemplate;
  recipient: string;
  userId: string | null;
}

const kinds = Object.keys(mailKinds) as MailKind[];

/** Wires the settings of mails. */
export function createMailSettingsService(deps: {
  db: Database;
  /** Read when they are called: stock alerts are made after mails. */
  services: Readonly<{ stockAlerts: Pick<StockAlertService, 'cancelAllOf'> }>;
  secrets: readonly string[];
}): MailSettingsService {
  const { db, services } = deps;
  const signer = createSigner(deps.secrets);

  async function areUnwanted(source: Queryable, mails: readonly repository.Asked[]): Promise<Set<number>> {
    return mails.some((mail) => mail.kind !== null) ? repository.findUnwanted(source, mails) : new Set();
  }

  return {
    async wanted(source, mails) {
      const asked = mails.map((mail) => ({ ...mail, kind: mailTemplates[mail.template] }));
      const unwanted = await areUnwanted(source, asked);
      return mails.filter((_mail, index) => !unwanted.has(index));
    },

    async of(userId) {
      const off = await repository.findKindsOff(db, userId);
      return Object.fromEntries(kinds.map((kind) => [kind, !off.has(kind)])) as Record<MailKind, boolean>;
    },

    async update(userId, change) {
      const off = kinds.filter((kind) => change[kind] === false);
      const on = kinds.filter((kind) => change[kind] === true);
      await db.transaction((tx) => repository.turnKinds(tx, userId, { off, on }));
    },

    unsubscribeToken: (email, kind) => signUnsubscription(signer, email, kind),

    async readUnsubscribeToken(token) {
      const of = readUnsubscription(signer, token);
      if (of === null) return null;
      const off = await areUnwanted(db, [{ userId: null, recipient: of.email, kind: of.kind }]);
      return { ...of, isOff: off.size > 0 };
    },

    async unsubscribe({ email, kind }) {
      await db.transaction(async (tx) => {
        const userId = await repository.lockUserByEmail(tx, email);
        if (userId !== null) return repository.turnKinds(tx, userId, { off: [kind], on: [] });
        await repository.insertOptOut(tx, email, kind);
        if (kind === 'BACK_IN_STOCK') await services.stockAlerts.cancelAllOf(tx, email);
        return undefined;
      });
    },

    async resubscribe({ email, kind }) {
      await db.transaction(async (tx) => {
        const userId = await repository.lockUserByEmail(tx, email);
        if (userId !== null) return repository.turnKinds(tx, userId, { off: [], on: [kind] });
        return repository.deleteOptOut(tx, email, kind);
      });
    },
  };
}

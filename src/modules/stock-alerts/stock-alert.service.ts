import { v4 as uuidv4 } from 'uuid';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { createSigner } from '../../infra/signer.ts';
import { isVariantVisible, type CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import type { Nudges } from '../module.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import type { MailService } from '../mail/mail.service.ts';
import { createStockAlertChains, type StockAlertChains } from './stock-alert-chains.ts';
import * as pages from './stock-alert-page.ts';
import { readStockAlert, signStockAlert } from './stock-alert-token.ts';
import * as repository from './stock-alert.repository.ts';
import type { StockAlert } from './stock-alert.repository.ts';

export type { StockAlert } from './stock-alert.repository.ts';

/** The account that signs up, and whether its address is confirmed. */
export interface AlertOwner {
  id: string;
  email: string;
  emailVerifiedAt: Date | null;
}

/** A request for an alert. */
export interface SignUp {
  variantId: string;
  email: string;
  /** Null: somebody without an account. */
  owner: AlertOwner | null;
}

/** Those who wait for variants. Refusals are thrown as `Refusal`, and nothing has changed then. */
export interface StockAlertService extends StockAlertChains {
  /**
   * Signs an address up for a variant that is sold out, once per address regardless of case. A repeated sign-up by somebody else is
   * answered like a first one, so that nobody learns whether an address is signed up.
   * @throws Refusal: NOT_FOUND, ALREADY_IN_STOCK, LIMIT_EXCEEDED
   */
  create(signUp: SignUp): Promise<StockAlert>;
  /**
   * Calls an alert of a user's off, if it still waits; gives it as it is then.
   * @throws Refusal: NOT_FOUND
   */
  cancelOwn(id: string, userId: string): Promise<StockAlert>;
  /**
   * The same by the token of a mail.
   * @throws Refusal: TOKEN_INVALID
   */
  cancelByToken(token: string): Promise<StockAlert>;
  /** Whether a token is that of an alert. */
  isCancelToken(token: string): boolean;
  /** Calls off all that an address waits for, in the caller's transaction. @returns how many that were */
  cancelAllOf(tx: Transaction, address: string): Promise<number>;
  /** The token with which an alert can be called off, for the link in its mail. */
  cancelToken(alertId: string): string;
  /**
   * What an address waits for without an account becomes the user's who has it, provided that it is confirmed: anyone can
   * type an address. It comes after the locks of variants.
   */
  join(tx: Transaction, user: AlertOwner): Promise<void>;
  /** Alerts by ID. The caller checks who may see them. */
  byIds(ids: readonly string[]): Promise<StockAlert[]>;
  /** One page of the alerts of each given user, newest first. */
  pagesOfUsers(userIds: readonly string[], page: PageRequest): Promise<Map<string, Page<StockAlert>>>;
  countsOfUsers(userIds: readonly string[]): Promise<Map<string, number>>;
  /** How many wait for each variant. */
  countsOfVariants(variantIds: readonly string[]): Promise<Map<string, number>>;
}

/** What an address may wait for at the same time. */
export const MAX_WAITING = 20;

/** Wires the alerts. */
export function createStockAlertService(deps: {
  db: Database;
  catalog: Pick<CatalogService, 'variantsByIds'>;
  inventory: Pick<InventoryService, 'lock'>;
  mails: Pick<MailService, 'write' | 'unwanted'>;
  nudges: Pick<Nudges, 'stockAlerts'>;
  secrets: readonly string[];
  batchSeconds: number;
  logger: Pick<Logger, 'error'>;
}): StockAlertService {
  const { db, catalog, inventory } = deps;
  const signer = createSigner(deps.secrets);

  async function checkSoldOut(tx: Transaction, variantId: string): Promise<void> {
    const [variant] = await catalog.variantsByIds([variantId], tx);
    if (variant === undefined || !isVariantVisible(variant)) {
      refuse('NOT_FOUND', 'Variant not found.', ['variantId']);
    }
    if (variant.available > 0) refuse('ALREADY_IN_STOCK', 'The variant is available now.', ['variantId']);
  }

  /** How an existing alert is shown to a caller who requests it again. */
  async function again(tx: Transaction, at: Date, found: StockAlert, { email, owner }: SignUp): Promise<StockAlert> {
    if (owner !== null && found.userId === owner.id) return found;
    const isTheirs = owner !== null && owner.emailVerifiedAt !== null && isSame(owner.email, found.email);
    if (isTheirs) return repository.setAlertOwner(tx, found.id, owner.id);
    return { ...found, email, createdAt: at };
  }

  async function read(id: string): Promise<StockAlert | null> {
    const [alert] = await repository.findAlerts(db, [id]);
    return alert ?? null;
  }

  return {
    ...createStockAlertChains(deps),

    create: (signUp) =>
      db.transaction(async (tx) => {
        const { variantId, email, owner } = signUp;
        await repository.lockAddress(tx, email);
        // Until this commits nobody restocks it: who signed up before a restock is seen by the chain that comes of it.
        const at = await inventory.lock(tx, [variantId]);
        await checkSoldOut(tx, variantId);
        const found = await repository.lockWaiting(tx, variantId, email);
        if (found !== null) return again(tx, at, found, signUp);
        const waiting = await repository.countWaitingOfAddress(tx, email);
        if (waiting >= MAX_WAITING) {
          const message = `An email address can have at most ${MAX_WAITING} waiting stock alerts.`;
          const requested = waiting + 1;
          throw new Refusal(new LimitExceededError({ message, path: ['email'], limit: MAX_WAITING, requested }));
        }
        // A random UUID (v4): a time-based one would reveal the alert's age to a caller who requests it again.
        return repository.insertAlert(tx, at, { id: uuidv4(), variantId, userId: owner?.id ?? null, email });
      }),

    async cancelOwn(id, userId) {
      await repository.cancelAlert(db, id, userId);
      const alert = await read(id);
      if (alert === null || alert.userId !== userId) refuse('NOT_FOUND', 'Stock alert not found.', ['id']);
      return alert;
    },

    async cancelByToken(token) {
      const invalid = () => refuse('TOKEN_INVALID', 'The link is not valid.', ['token']);
      const id = readStockAlert(signer, token) ?? invalid();
      await repository.cancelAlert(db, id, null);
      return (await read(id)) ?? invalid();
    },

    cancelAllOf: (tx, address) => repository.cancelAlertsOf(tx, address),
    isCancelToken: (token) => readStockAlert(signer, token) !== null,
    cancelToken: (alertId) => signStockAlert(signer, alertId),

    async join(tx, user) {
      if (user.emailVerifiedAt !== null) await repository.joinAlerts(tx, user.id, user.email);
    },

    byIds: (ids) => repository.findAlerts(db, ids),
    pagesOfUsers: (userIds, page) => pages.findAlertPagesOfUsers(db, userIds, page),
    countsOfUsers: (userIds) => pages.countAlertsOfUsers(db, userIds),
    countsOfVariants: (variantIds) => pages.countWaitingOfVariants(db, variantIds),
  };
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

import type { Database, Queryable } from '../../../../infra/postgres/database.ts';
import type { TestPayments } from '../../test-payments.types.ts';
import type { PaymentProvider, Snapshot } from '../provider.types.ts';

/** What the shop asks for, as faults name it. */
export type TestOperation = 'BEGIN' | 'FETCH' | 'FIND' | 'CAPTURE' | 'CANCEL' | 'REFUND' | 'CHANGED';

/** Faults that the provider has by itself, for torture runs. Without them it has none but those that a shopper chooses. */
export interface TestProviderFaults {
  /** Whether a call fails as Unknown before anything is done. */
  failsBefore?: (operation: TestOperation) => boolean;
  /** Whether a call fails as Unknown after everything was done. */
  losesAnswer?: (operation: TestOperation) => boolean;
  /** How often a webhook is sent, and how many milliseconds after its event. */
  webhook?: () => { copies: number; delayMs: number };
}

/** What tests and torture runs may change. */
export interface TestProviderTuning {
  /** Milliseconds until a payment that succeeds or fails late does so. */
  lateMs?: number | undefined;
  /** For tests: the provider's clock. By default the database's. */
  now?: ((source: Queryable) => Promise<Date>) | undefined;
  /** Payments on a page of changed ones. */
  pageSize?: number | undefined;
  faults?: TestProviderFaults | undefined;
}

export interface TestProviderOptions extends TestProviderTuning {
  db: Database;
  /** The shop's secrets: the first signs webhooks, and all are accepted. */
  secrets: readonly string[];
}

/** The `test` provider: a payment provider with books of its own, a pay page, and a queue of webhooks. */
export interface TestProvider extends PaymentProvider {
  page: TestPayments;
  /**
   * Does what is due: late outcomes, authorizations that lapse, webhooks. Safe beside other processes that do the same.
   * @returns how many things were done or tried
   */
  runDue(signal?: AbortSignal): Promise<number>;
  /** Deletes keys and webhooks that are of no more use. */
  prune(): Promise<void>;
  /** Calls `wake` after each commit that queues a webhook in this process. */
  onQueued(wake: () => void): void;
  /** For tests and torture runs: from now on the provider behaves otherwise, in this process. */
  tune(tuning: TestProviderTuning): void;
  /** For tests: the late outcome of a payment comes now. */
  settleLate(reference: string): Promise<Snapshot>;
  /** For tests: the customer disputes what was captured. */
  openDispute(reference: string): Promise<Snapshot>;
  /** For tests: the bank sends a refund back. */
  failRefund(reference: string, refundReference: string, failure?: string): Promise<Snapshot>;
}

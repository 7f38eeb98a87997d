import type { KeyedQueue } from '../../infra/limits/keyed-semaphore.ts';
import type { Logger } from '../../infra/logger.ts';

/** What all sockets of a process have in common. */
export interface SocketHost {
  readonly logger: Logger;
  /** Shared subscriptions on sockets. */
  running: number;
  /** Called with the error that ended a subscription early. */
  failed(error: unknown): void;
  /** Called once for each socket that is closed. */
  gone(connection: { readonly clientAddress: string }): void;
  /** Messages that a socket may send at once, and again within a minute; null: as many as it likes. */
  readonly messagesPerMinute: number | null;
  /** Queries of one socket that are executed at the same time; further ones wait for their turn. */
  readonly turns: KeyedQueue;
}

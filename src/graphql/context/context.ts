import type { Cursor } from '../../events/cursor.ts';
import type { EventFeed } from '../../events/feed.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { Replay } from '../../events/replay.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { ShopServices } from '../../modules/module.ts';
import type { Identification } from './authentication.ts';
import type { SocketSink } from './sink.ts';
import type { Loaders } from './loaders.ts';
import type { Caller, Throttle } from '../limits/throttle.ts';

/** What is the same for all operations of a process. */
export interface SharedContext {
  db: Database;
  services: ShopServices;
  eventLog: EventLog;
  feed: EventFeed;
  /** The log for subscriptions that come back. */
  replay: Replay;
  shop: { name: string; currency: string };
  /** Where the outside reaches the shop, for links; an origin without a slash at its end. */
  publicUrl: string;
  /** Null: nothing is limited. */
  throttle: Throttle | null;
}

/** What subscriptions are executed with instead: connections of their own, so that nothing else waits for them. */
export type LiveContext = Pick<SharedContext, 'db' | 'services'>;

/** What each operation is executed with. Subscriptions get fresh loaders for every event. */
export interface Context extends SharedContext, Caller, Identification {
  loaders: Loaders;
  requestId: string;
  /** The log's end from before execution began, where the operation asks for it. */
  eventCursor: Cursor | null;
  /** Where a subscription over WebSocket can put ready results; null over HTTP. */
  sink: SocketSink | null;
  /** What an event of the subscription costs; 0 in queries and mutations. */
  eventCost: number;
  /** Called where the answer is a stream of events, which has a place of its own among the client's. */
  onStream: () => void;
  /** Calls back when the connection of the request is closed, at once where it is already. Over WebSocket it never does. */
  onGone(callback: () => void): void;
  userAgent: string | null;
  /** Where an EventSource that was cut off goes on; it counts for more than the `after` that it began with. */
  lastEventId: string | null;
  /** Says in a header of the answer, too, how many seconds to wait: the most of all fields that were refused. */
  retryAfter(seconds: number): void;
}

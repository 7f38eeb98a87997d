import pg from 'pg';
import { Connection, prepare, TIME_LIMITS, type ConnectionOptions, type Internals } from './connection.ts';

/** A connection that takes longer than this to open may never open, and others no longer wait for it. */
const OPENING_MS = 250;

/**
 * How long a caller waits for a connection that is in use before another one is opened. Most statements take a millisecond, and
 * a new connection costs the server as much as dozens of them.
 */
const PATIENCE_MS = 50;

export interface PoolOptions extends ConnectionOptions {
  /** Connections at most. */
  max: number;
  /** How long a connection stays open without work. */
  idleMs: number;
  /** For tests: how long the opening of a connection holds up that of the next one. */
  openingMs?: number;
  /** For tests: how long a caller waits for a connection that is in use before another one is opened. */
  patienceMs?: number;
}

/** What of `pg.Pool` its types leave out. */
interface PoolInternals {
  _isFull(): boolean;
  _pulseQueue(): void;
  /** Callers that wait for a connection. */
  _pendingQueue: object[];
}

/**
 * Opens a pool of connections. Nothing is connected until the first statement. Connections are opened one after the other, and
 * only for callers that have waited: of many that come at once, as when a process starts, most are served by the first
 * connections before theirs would be open.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const { max, idleMs, openingMs = OPENING_MS, patienceMs = PATIENCE_MS, limits = TIME_LIMITS } = options;
  const idle = new Set<pg.Client>();
  const opening = new Map<pg.Client, NodeJS.Timeout>();
  // The pool makes its connections by calling `new`, with its own options.
  class PooledConnection extends Connection {
    constructor() {
      super(options, closeIdle);
      this.on('end', () => idle.delete(this));
      const opened = () => noteOpened(this);
      opening.set(this, setTimeout(opened, openingMs).unref());
      this.once('connect', opened).once('end', opened);
    }
  }
  function noteOpened(client: pg.Client): void {
    clearTimeout(opening.get(client));
    if (opening.delete(client)) internals._pulseQueue();
  }
  /** Where one connection died in silence, those that were opened before it and are not in use are hardly better off. */
  function closeIdle(): void {
    for (const client of idle) {
      const error = Object.assign(new Error('another connection to the database failed'), { code: 'ETIMEDOUT' });
      (client as unknown as Internals).connection.stream.destroy(error);
    }
    idle.clear();
  }
  const pool = new pg.Pool({
    Client: PooledConnection,
    max,
    connectionTimeoutMillis: limits.connect,
    idleTimeoutMillis: idleMs,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it; its types say void
    onConnect: (client) => prepare(client, options),
  });
  const internals = pool as unknown as PoolInternals;
  const isFull = internals._isFull.bind(pool);
  const queue = internals._pendingQueue;
  const since = new WeakMap<object, number>();
  queue.push = (...callers) => {
    for (const caller of callers) since.set(caller, performance.now());
    return Array.prototype.push.apply(queue, callers);
  };
  let waiting: NodeJS.Timeout | undefined;
  let patienceIsOver = false;
  function openForThoseWhoWait(): void {
    waiting = undefined;
    const [longest] = queue;
    if (longest === undefined) return;
    // Those who waited when the timer was set may have been served, and others have come since.
    const left = patienceMs - (performance.now() - (since.get(longest) ?? 0));
    if (left > 0) {
      waiting = setTimeout(openForThoseWhoWait, left).unref();
      return;
    }
    patienceIsOver = true;
    internals._pulseQueue();
    patienceIsOver = false;
  }
  internals._isFull = () => {
    if (opening.size > 0 || isFull()) return true;
    if (pool.totalCount === 0 || patienceIsOver) return false;
    waiting ??= setTimeout(openForThoseWhoWait, patienceMs).unref();
    return true;
  };
  pool.on('acquire', (client) => idle.delete(client as unknown as pg.Client));
  pool.on('release', (error, client) => {
    if (!error) idle.add(client);
  });
  pool.on('remove', (client) => idle.delete(client as unknown as pg.Client));
  return pool;
}

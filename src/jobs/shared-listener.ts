import { EventEmitter } from 'node:events';
import type { PgPool, PgPoolClient } from 'bullmq';
import type pg from 'pg';

/*
 * Each worker of BullMQ would hold a connection of its own to listen on, and do nothing else with it. All of a process's
 * workers listen to the same channel, so one connection is enough: each worker gets a client that hears what the shared one
 * hears.
 */

/** One connection that listens for all workers of this process. */
export interface SharedListener extends AsyncDisposable {
  /** A pool as BullMQ takes it, for one worker: statements go to `pool`, the worker's listening client to the shared one. */
  poolFor(pool: PgPool): PgPool;
}

/** Sends a statement over the shared connection. */
type Ask = (text: string, values?: unknown[]) => Promise<unknown>;

/** What a worker takes for a connection of its own. */
class Ear extends EventEmitter {
  readonly #ask: Ask;
  readonly #forget: (ear: Ear) => void;

  constructor(ask: Ask, forget: (ear: Ear) => void) {
    super();
    this.#ask = ask;
    this.#forget = forget;
  }

  async query(text: string, values?: unknown[]): Promise<unknown> {
    // A worker names its connection after itself, which would name everybody's.
    if (text.includes('application_name')) return { rows: [] };
    return this.#ask(text, values);
  }

  release(): void {
    this.#forget(this);
  }
}

/** Statements one after the other: workers know nothing of each other, and `pg` is to lose the queue that it has for such callers. */
function inTurn(client: pg.Client): Ask {
  let before: Promise<unknown> = Promise.resolve();
  return (text, values) => {
    const answer = before.then(() => client.query(text, values));
    before = answer.catch(() => {});
    return answer;
  };
}

/**
 * Makes one. Nothing is connected until the first worker listens.
 * @param open opens a connection
 */
export function createSharedListener(open: () => Promise<pg.Client>): SharedListener {
  const ears = new Set<Ear>();
  let connecting: Promise<{ client: pg.Client; ask: Ask }> | undefined;
  let closed = false;

  async function connect(): Promise<{ client: pg.Client; ask: Ask }> {
    const client = await open();
    client.on('notification', (notification) => {
      for (const ear of ears) ear.emit('notification', notification);
    });
    const lost = (error: Error) => {
      connecting = undefined;
      // oxlint-disable-next-line promise/no-promise-in-callback -- a connection that broke is let go of
      void client.end().catch(() => {});
      for (const ear of [...ears]) {
        ears.delete(ear);
        if (ear.listenerCount('error') > 0) ear.emit('error', error);
      }
    };
    client.on('error', lost);
    client.once('end', () => lost(new Error('the connection that listens for jobs has ended')));
    return { client, ask: inTurn(client) };
  }

  async function listen(): Promise<Ear> {
    if (closed) throw new Error('Cannot use a pool after calling end on the pool');
    const opening = (connecting ??= connect());
    opening.catch(() => {
      if (connecting === opening) connecting = undefined;
    });
    const { ask } = await opening;
    const ear = new Ear(ask, (gone) => ears.delete(gone));
    // Several workers listen on one client, and each of them has a listener of its own.
    ear.setMaxListeners(0);
    ears.add(ear);
    return ear;
  }

  return {
    poolFor(pool) {
      // BullMQ connects once to look at its schema, before anything else; every later connection is the one it listens on.
      let looked = false;
      const facade = {
        options: { keepAlive: true },
        query: pool.query.bind(pool),
        end: pool.end.bind(pool),
        on: (...given: Parameters<PgPool['on']>) => pool.on(...given),
        async connect() {
          if (looked) return (await listen()) as unknown as PgPoolClient;
          looked = true;
          return pool.connect();
        },
      };
      return facade as unknown as PgPool;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      ears.clear();
      const connected = await connecting?.catch(() => undefined);
      await connected?.client.end().catch(() => {});
    },
  };
}

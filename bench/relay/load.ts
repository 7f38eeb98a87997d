import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Queryable, Statement } from '../../src/infra/postgres/database.ts';
import type { Node } from './place.ts';

export interface Load {
  writers: number;
  seconds: number;
  /** Commits a second, all writers together; null: each begins the next as soon as it has committed. */
  rate: number | null;
}

/** When an event was committed and when the feed delivered it, in milliseconds since the load began. */
export interface Delivery {
  committedAt: number;
  deliveredAt: number;
}

export interface Ran {
  commits: number;
  commitsPerSecond: number;
  /** In the order of their commits; empty where latency was not asked for. */
  deliveries: Delivery[];
}

const TYPE = 'bench_written';
const now = () => performance.timeOrigin + performance.now();

/** Has writers commit a transaction with one event after the other, each writer in a connection and of a subject of its own. */
export async function writeFor(node: Node, load: Load): Promise<Ran> {
  return (await run(node, load, false)).ran;
}

/** Like `writeFor`, and measures when each event reached a subscriber of the node's feed. The relay must be on. */
export async function timeFor(node: Node, load: Load): Promise<Ran> {
  const deliveredAt = new Map<number, number>();
  const unsubscribe = node.feed.subscribe({
    event: ({ payload }) => void deliveredAt.set((payload as { n: number }).n, now()),
    reset: () => {},
  });
  const { ran, transactions, began } = await run(node, load, true);
  const deadline = performance.now() + 10_000;
  while (deliveredAt.size < ran.commits && performance.now() < deadline) await delay(10);
  unsubscribe();
  if (deliveredAt.size !== ran.commits)
    throw new Error(`${ran.commits} commits, of which the feed delivered ${deliveredAt.size}`);
  const commits = await readCommits(node.db, transactions);
  const deliveries = commits.map(({ n, at }) => ({
    committedAt: at - began,
    deliveredAt: (deliveredAt.get(n) ?? NaN) - began,
  }));
  return { ...ran, deliveries };
}

let count = 0;

async function run(node: Node, { writers, seconds, rate }: Load, timed: boolean) {
  const transactions = new Map<number, string>();
  const began = now();
  const end = began + seconds * 1000;
  // Each writer has its turns; who is late makes up for it, so that the load stays what it is meant to be.
  const everyMs = rate === null ? 0 : (1000 * writers) / rate;
  let commits = 0;

  async function write(index: number): Promise<void> {
    const subjectId = uuid();
    for (let due = began + (everyMs * index) / writers; ; due += everyMs) {
      if (everyMs > 0 && due > now()) await delay(due - now());
      if ((everyMs > 0 ? due : now()) >= end) return;
      const n = (count += 1);
      await node.db.transaction(async (tx) => {
        if (timed) transactions.set(n, await readTransaction(tx));
        await node.log.append(tx, new Date(), [{ type: TYPE, subjectId, payload: { n } }]);
      });
      commits += 1;
    }
  }

  await Promise.all(Array.from({ length: writers }, (_, index) => write(index)));
  const commitsPerSecond = (commits * 1000) / (now() - began);
  return { ran: { commits, commitsPerSecond, deliveries: [] }, transactions, began };
}

const transaction: Statement = { name: 'bench_transaction', text: 'SELECT pg_current_xact_id()::text AS id' };

async function readTransaction(tx: Queryable): Promise<string> {
  const [row] = await tx.query<{ id: string }>(transaction);
  if (row === undefined) throw new Error('the transaction has no name');
  return row.id;
}

// The relay writes each row of the log once more, so the row itself does not show which transaction committed it.
const commitTimes: Statement = {
  name: 'bench_commit_times',
  text: `SELECT n, (extract(epoch FROM pg_xact_commit_timestamp(id::xid8::xid)) * 1000)::float8 AS at
           FROM unnest($1::int[], $2::text[]) AS t(n, id) ORDER BY at`,
};

function readCommits(db: Queryable, transactions: ReadonlyMap<number, string>) {
  return db.query<{ n: number; at: number }>(commitTimes, [[...transactions.keys()], [...transactions.values()]]);
}

const sequence: Statement = {
  name: 'bench_sequence',
  text: `SELECT count(*)::int AS events, count(DISTINCT seq)::int AS numbers, count(*) FILTER (WHERE seq IS NULL)::int AS unnumbered,
                min(seq)::int AS first, max(seq)::int AS last, (SELECT last FROM event_sequence)::int AS said
           FROM event_log WHERE seq > $1 OR seq IS NULL`,
};

/** What the log has after a place in it. */
export interface Numbering {
  events: number;
  /** Different ones. */
  numbers: number;
  unnumbered: number;
  first: number | null;
  last: number | null;
  /** What the log says is its end. */
  said: number;
}

/** Looks at all the numbers after one place. */
export async function readNumbering(db: Queryable, after: number): Promise<Numbering> {
  const [row] = await db.query<Numbering>(sequence, [after]);
  if (row === undefined) throw new Error('there is no log');
  return row;
}

/** Whether these are the numbers from the next on, each once, as many as there were commits. */
export function isContiguous(numbering: Numbering, after: number, commits: number): boolean {
  const { events, numbers, unnumbered, first, last, said } = numbering;
  if (commits === 0) return events === 0;
  return (
    events === commits &&
    numbers === commits &&
    unnumbered === 0 &&
    first === after + 1 &&
    last === after + commits &&
    said === last
  );
}

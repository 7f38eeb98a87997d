import { createLocalBus } from '../../src/events/bus.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { startFeed } from '../../src/events/feed.ts';
import { createReplay } from '../../src/events/replay.ts';
import { openStream } from '../../src/events/stream.ts';
import { openDatabase, openReader } from '../../src/infra/postgres/database.ts';
import { createLogger } from '../../src/infra/logger.ts';

// Reads the whole log through a stream, in a process of its own, and reports its memory at each tenth of it: on the
// heap, after a collection, and in all. `node --expose-gc --import tsx stream-child.ts URL (keep)`. With `keep` it does not let go of the events.

const [connectionString = '', keep] = process.argv.slice(2);
const logger = createLogger({ level: 'error', pretty: false });
const db = openDatabase({ connectionString, poolSize: 2, logger });
const reader = openReader({ connectionString, poolSize: 2, logger });
const log = createEventLog({ db, wake: () => {} });
const feed = await startFeed({ log, bus: createLocalBus(), logger });
const replay = createReplay(reader);
const { epoch, seq: last } = feed.position();
const after = { epoch, seq: 0 };
await replay.check(after);

const kept: unknown[] = [];
const heap: number[] = [];
const rss: number[] = [];
let seen = 0;
let inOrder = true;
const filter = { types: ['stock_changed'], subjects: null };
for await (const { event } of openStream({
  feed,
  pick: (each) => each,
  resume: { after, replay, filter: () => filter },
})) {
  seen += 1;
  inOrder &&= event.seq === seen;
  if (keep === 'keep') kept.push(event);
  if (seen % Math.ceil(last / 10) === 0 || seen === last) {
    rss.push(process.memoryUsage().rss / 1e6);
    globalThis.gc?.();
    heap.push(process.memoryUsage().heapUsed / 1e6);
  }
  if (seen === last) break;
}
process.stdout.write(JSON.stringify({ seen, inOrder, heap, rss, kept: kept.length }));
await feed[Symbol.asyncDispose]();
await reader[Symbol.asyncDispose]();
await db[Symbol.asyncDispose]();

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { openDatabase } from '../src/infra/postgres/database.ts';
import { openPlace } from './nodes/place.ts';
import { openPlace as openDatabasePlace } from './relay/place.ts';
import { fillLog, type Filled } from './replay/fill.ts';
import { memoryOf, type Growth } from './replay/memory.ts';
import { readAll, type Transport } from './replay/read.ts';

// `npm run bench:replay`: what it costs a node in memory that somebody comes back to the beginning of a long log. See README.md.

const USAGE = `What memory it takes to replay a long log.

  npm run bench:replay -- [--events 1000000] [--over stream|sse|websocket] [--most 30] [--pause 5] [--readers 1]

  --events  in the log (20000 to 10000000)
  --over    stream: the stream that subscriptions read, in a process of its own (the default); sse, websocket: a subscriber of
            a node, through GraphQL, many times as long
  --most    megabytes by which the process may grow after the first tenth (1 to 1000)
  --pause   seconds for which the subscriber takes nothing in, in the middle (0 to 60; not of a stream)
  --readers subscribers at the same time, of the same document (1 to 50; not of a stream)

Exit code: 0 the process does not grow and each event came once, in order; 1 it does, or some did not; 2 wrong arguments.`;

const OVER = { stream: 'stream', sse: 'SSE', websocket: 'WebSocket' } as const;

interface Options {
  events: number;
  over: Transport | 'stream';
  most: number;
  pause: number;
  readers: number;
}

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const { over } = options;
  const passed = await (over === 'stream' ? replayStream(options) : replayAt(over, options));
  process.exitCode = passed ? 0 : 1;
}

/** In a process that has nothing to do but to read. */
async function replayStream({ events, most }: Options): Promise<boolean> {
  const place = await openDatabasePlace(undefined);
  try {
    await using db = openDatabase({ connectionString: place.connectionString, poolSize: 2, logger: place.logger });
    await fillLog(db, events);
    const began = performance.now();
    const args = ['--expose-gc', '--import', 'tsx', join(import.meta.dirname, 'replay/stream-child.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, place.connectionString]);
    const seconds = (performance.now() - began) / 1000;
    const { seen, inOrder, heap, rss } = JSON.parse(stdout) as Record<'heap' | 'rss', number[]> & {
      seen: number;
      inOrder: boolean;
    };
    const growth = (tenths: readonly number[]) => Math.max(...tenths.slice(1)) - (tenths[0] ?? NaN);
    const whole = seen === events && inOrder;
    const passed = whole && growth(rss) <= most && growth(heap) <= most;
    const list = (tenths: readonly number[]) => tenths.map((mb) => mb.toFixed(0)).join(', ');
    console.log(`${events} events; megabytes of the process after each tenth of them\n`);
    console.log(`resident: ${list(rss)}\nheap, after a collection: ${list(heap)}`);
    console.log(
      `${passed ? 'PASS' : 'FAIL'}  ${seen} events${whole ? ', each once, in order,' : ', not all, or not in order,'} in ${seconds.toFixed(0)} s; ` +
        `after the first tenth it grew by ${growth(rss).toFixed(1)} MB resident, ${growth(heap).toFixed(1)} MB of heap`,
    );
    return passed;
  } finally {
    await place.dispose();
  }
}

/** Through GraphQL, by a subscriber of a node. */
async function replayAt(transport: Transport, given: Options): Promise<boolean> {
  const place = await openPlace();
  try {
    // The first node migrates. The other finds the log full: it has none of it in memory.
    await (await place.startNode(null)).stop();
    const filled = await fillLog(place.db, given.events);
    console.log(`${given.events} events; megabytes of the node, the most in each tenth of them\n`);
    const node = await place.startNode(null);
    return await replay(node.url, transport, filled, given);
  } finally {
    await place.dispose();
  }
}

async function replay(
  url: string,
  transport: Transport,
  filled: Filled,
  { events, most, pause, readers }: Options,
): Promise<boolean> {
  const memory = await memoryOf(url, events);
  let next = filled.first;
  let inOrder = true;
  const began = performance.now();
  let growth: Growth;
  const asked = { cursor: filled.cursor, events, pauseAfter: events / 2, pauseMs: 1000 * pause };
  const watched = {
    ...asked,
    onEvent(seq: number) {
      inOrder &&= seq === next;
      next += 1;
      memory.passed(next - filled.first);
    },
  };
  const others = Array.from({ length: readers - 1 }, () => ({ ...asked, onEvent() {} }));
  try {
    await Promise.all([watched, ...others].map((each) => readAll(url, transport, each)));
  } finally {
    growth = await memory.end();
  }
  const seconds = (performance.now() - began) / 1000 - pause;
  const whole = inOrder && next === filled.last + 1;
  const passed = whole && growth.rss <= most;
  console.log(
    `${transport}: ${growth.tenths.map((mb) => mb.toFixed(0)).join(', ')} (before: ${growth.before.toFixed(0)})`,
  );
  console.log(
    `${passed ? 'PASS' : 'FAIL'}  ${next - filled.first} events${whole ? ', each once, in order,' : ', not all, or not in order,'} in ${seconds.toFixed(1)} s, ` +
      `${Math.round((readers * events) / seconds)} a second to ${readers} readers; the most after the first tenth is ${growth.rss.toFixed(1)} MB above the most within it\n`,
  );
  return passed;
}

function readOptions(args: string[]): Options | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { events: text, over: text, most: text, pause: text, readers: text },
    });
    const over = OVER[(values.over ?? 'stream') as keyof typeof OVER];
    if (over === undefined) throw new Error(`${values.over}: stream, sse or websocket`);
    const number = (value: string | undefined, usual: number, least: number, most: number) => {
      const given = value === undefined ? usual : Number(value);
      if (!Number.isInteger(given) || given < least || given > most) throw new Error(`${value}: ${least} to ${most}`);
      return given;
    };
    return {
      over,
      events: number(values.events, 1_000_000, 20_000, 10_000_000),
      most: number(values.most, 30, 1, 1000),
      pause: number(values.pause, 5, 0, 60),
      readers: number(values.readers, 1, 1, 50),
    };
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n` : error);
    return null;
  }
}

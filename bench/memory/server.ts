import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeHeapSnapshot } from 'node:v8';
import { pino } from 'pino';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { createApp, type App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { makeWatched } from '../fan-out/product.ts';

/*
 * One of the two servers whose memory is compared, in a process of its own: `shop`, or `bare`, which is `ws` on node's own
 * HTTP server and answers just enough for the clients of the shop to settle down. Both are asked over IPC.
 */

/** What a server is asked. */
export type Ask =
  | { ask: 'memory' }
  | { ask: 'live' }
  /** So many people log in, or so many guests come: their `connectionParams`. */
  | { ask: 'people' | 'guests'; count: number }
  | { ask: 'snapshot'; file: string };

/** What the process holds, in bytes, after garbage collection. */
export interface Memory {
  heap: number;
  /** Beyond the heap, as V8 knows of it: buffers, and what native objects own up to. */
  external: number;
  /** As the operating system sees the process; pages that were given up may linger. */
  resident: number;
}

/** Where a server is, and what is to be subscribed to. */
export interface Ready {
  url: string;
  query: string | null;
}

type Params = Record<string, string>;

interface Served extends Ready {
  live: () => number;
  people: (count: number) => Promise<Params[]>;
  guests: (count: number) => Params[];
}

async function startShop(): Promise<Served> {
  const config = loadConfig({ ...process.env, PORT: '0', SEED: 'none', LOG_LEVEL: 'silent' });
  const app = await createApp(config, pino({ level: 'silent' }));
  const { query } = await makeWatched(app);
  process.once('disconnect', () => void app.dispose().then(() => process.exit()));
  return {
    url: `${app.url.replace('http', 'ws')}/graphql`,
    query,
    live: () => app.fanOut()?.live ?? 0,
    people: (count) => logIn(app, count),
    guests: (count) => Array.from({ length: count }, () => ({ cartToken: app.services.guests.offer().token })),
  };
}

async function logIn({ db, services }: App, count: number): Promise<Params[]> {
  return db.transaction(async (tx) => {
    const made = {
      name: 'bench_users',
      text: `INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
             SELECT gen_random_uuid(), gen_random_uuid() || '@example.com', 'Reader', '$2b$12$' || repeat('x', 53), clock_timestamp(), clock_timestamp()
               FROM generate_series(1, $1) RETURNING id`,
    };
    const tokens: Params[] = [];
    for (const { id } of await tx.query<{ id: string }>(made, [count]))
      tokens.push({ accessToken: (await services.sessions.open(tx, id, null)).accessToken });
    return tokens;
  });
}

async function startBare(): Promise<Served> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'graphql-transport-ws' });
  let live = 0;
  server.on('connection', (socket) => {
    // One function for all of them: a socket is to cost what `ws` costs and nothing else.
    socket.on('message', hear);
    socket.on('close', leave);
  });
  function hear(this: WebSocket, data: RawData): void {
    const { type } = JSON.parse((data as Buffer).toString()) as { type: string };
    if (type === 'connection_init') this.send('{"type":"connection_ack"}');
    if (type === 'subscribe') live += 1;
  }
  function leave(): void {
    live -= 1;
  }
  http.listen(0);
  await once(http, 'listening');
  process.once('disconnect', () => process.exit());
  return {
    url: `ws://localhost:${(http.address() as AddressInfo).port}`,
    query: null,
    live: () => live,
    people: () => Promise.resolve([]),
    guests: () => [],
  };
}

const collect = globalThis.gc;
if (collect === undefined) throw new Error('start it with --expose-gc');

async function memory(): Promise<Memory> {
  // What finalizers and timers let go of is there for the next round.
  for (let round = 0; round < 5; round += 1) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss };
}

const { live, people, guests, ...ready } = await (process.argv[2] === 'shop' ? startShop() : startBare());
process.on('message', (message: Ask) => {
  if (message.ask === 'live') process.send?.(live());
  else if (message.ask === 'guests') process.send?.(guests(message.count));
  else if (message.ask === 'people') void people(message.count).then((made) => process.send?.(made));
  else if (message.ask === 'snapshot') process.send?.(writeHeapSnapshot(message.file));
  else void memory().then((held) => process.send?.(held));
});
process.send?.(ready);

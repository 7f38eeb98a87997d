import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { createApp, type App } from '../src/app.ts';
import { loadConfig } from '../src/config/config.ts';
import { makeWatched, type Watched } from './fan-out/product.ts';
import type { Ask, Reply } from './fan-out/readers.ts';
import { median, type Figures } from './fan-out/figures.ts';

/*
 * npm run bench:fan-out: how fast one event reaches many subscribers of one node, beside a bare broadcast of the same bytes
 * by `ws` in the same process, to the same readers (a process of their own), in turns.
 */

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '5000' },
    events: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
  },
});
const [subscribers, events, rounds] = [Number(values.subscribers), Number(values.events), Number(values.rounds)];

/** The readers, in a process of their own. */
class Readers {
  readonly #child = fork(new URL('fan-out/readers.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });

  async ask(message: Ask): Promise<Reply> {
    this.#child.send(message);
    const [reply] = (await once(this.#child, 'message')) as [Reply];
    return reply;
  }

  close(): void {
    this.#child.kill();
  }
}

/** One of the two that are compared: it can send so many events. */
interface Sender {
  url: string;
  query: string | null;
  /** Sends them as fast as it can. @returns when it began, in milliseconds of the wall clock */
  send(count: number): Promise<number>;
}

const now = () => performance.timeOrigin + performance.now();

/** Each round: a burst, timed to its last message; then one event at a time, each message timed. */
async function measure(readers: Readers, sender: Sender): Promise<Figures> {
  await readers.ask({ ask: 'expect', count: events });
  const began = await sender.send(events);
  const burst = await readers.ask({ ask: 'received' });
  const rate = (subscribers * events) / ((burst.lastAt - began) / 1000);
  const latencies: { p50: number; p99: number }[] = [];
  for (let index = 0; index < events; index += 1) {
    await readers.ask({ ask: 'expect', count: 1 });
    const at = await sender.send(1);
    latencies.push(await readers.ask({ ask: 'received', since: at }));
  }
  return {
    rate,
    p50: median(latencies.map((latency) => latency.p50)),
    p99: median(latencies.map((latency) => latency.p99)),
  };
}

async function openShop(): Promise<{ app: App; watched: Watched }> {
  const config = loadConfig({
    ...process.env,
    PORT: '0',
    SEED: 'none',
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'silent',
    ...(process.env.DATABASE_URL === undefined ? { DATA_DIR: process.env.DATA_DIR ?? '.data/bench' } : {}),
  });
  const app = await createApp(config, pino({ level: 'silent' }));
  return { app, watched: await makeWatched(app) };
}

/** The shop: events are committed, numbered and fanned out; the clock starts when the node has them. */
function shopSender({ app, watched }: { app: App; watched: Watched }): Sender {
  let began: (at: number) => void = () => {};
  app.feed?.subscribe({ event: () => began(now()), reset: () => {} });
  return {
    url: `${app.url.replace('http', 'ws')}/graphql`,
    query: watched.query,
    async send(count) {
      const first = new Promise<number>((resolve) => {
        let open = true;
        began = (at) => {
          if (open) resolve(at);
          open = false;
        };
      });
      await watched.move(count);
      return first;
    },
  };
}

/** A bare broadcast: each socket gets the text that it would get from the shop. */
async function bareSender(payload: string): Promise<Sender & { close(): void }> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => 'graphql-transport-ws' });
  const heads = new Map<WebSocket, string>();
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { type, id } = JSON.parse((data as Buffer).toString()) as { type: string; id?: string };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type === 'subscribe') heads.set(socket, `{"id":"${id}","type":"next","payload":${payload}}`);
    });
  });
  http.listen(0);
  await once(http, 'listening');
  return {
    url: `ws://localhost:${(http.address() as AddressInfo).port}`,
    query: null,
    send(count) {
      const at = now();
      for (let index = 0; index < count; index += 1) for (const [socket, text] of heads) socket.send(text);
      return Promise.resolve(at);
    },
    close() {
      for (const socket of heads.keys()) socket.terminate();
      http.close();
    },
  };
}

const shop = await openShop();
const bare = await bareSender(shop.watched.samplePayload);
const [toShop, toBare] = [new Readers(), new Readers()];
try {
  const shops = shopSender(shop);
  await toBare.ask({ ask: 'open', url: bare.url, query: bare.query, count: subscribers });
  await toShop.ask({ ask: 'open', url: shops.url, query: shops.query, count: subscribers });
  const before = shop.app.fanOut()?.executions ?? 0;
  const figures: { shop: Figures[]; bare: Figures[] } = { shop: [], bare: [] };
  // The first round warms both up.
  for (let round = 0; round <= rounds; round += 1) {
    const [ofBare, ofShop] = [await measure(toBare, bare), await measure(toShop, shops)];
    if (round === 0) continue;
    figures.bare.push(ofBare);
    figures.shop.push(ofShop);
    console.log(`round ${round}: shop ${describe(ofShop)} | bare ${describe(ofBare)}`);
  }
  const executions = (shop.app.fanOut()?.executions ?? 0) - before;
  const [s, b] = [middle(figures.shop), middle(figures.bare)];
  console.log(`\n${subscribers} subscribers of one operation on one node; medians of ${rounds} rounds`);
  console.log(`  shop  ${describe(s)}\n  bare  ${describe(b)}`);
  console.log(
    `  ratio ${(s.rate / b.rate).toFixed(2)} of the messages, ${(s.p50 / b.p50).toFixed(2)} × p50, ${(s.p99 / b.p99).toFixed(2)} × p99`,
  );
  console.log(`  ${executions} executions for ${(rounds + 1) * 2 * events} events`);
} finally {
  toShop.close();
  toBare.close();
  bare.close();
  await shop.app.dispose();
}

function middle(all: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number) => median(all.map(pick));
  return { rate: of((f) => f.rate), p50: of((f) => f.p50), p99: of((f) => f.p99) };
}

function describe({ rate, p50, p99 }: Figures): string {
  return `${Math.round(rate)} messages/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

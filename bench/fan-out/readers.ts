import { WebSocket } from 'ws';
import { quantile } from './figures.ts';

/** What the readers are asked. */
export type Ask =
  | { ask: 'open'; url: string; query: string | null; count: number; params?: Record<string, string>[] }
  /** So many messages each are about to come. */
  | { ask: 'expect'; count: number }
  /** When all have come; with `since`, how long they took. */
  | { ask: 'received'; since?: number };

export interface Reply {
  lastAt: number;
  p50: number;
  p99: number;
}

const OPEN_AT_A_TIME = 100;
const now = () => performance.timeOrigin + performance.now();

let times: number[] = [];
let missing = 0;
let done: () => void = () => {};
let received: Promise<void> = Promise.resolve();
let readers = 0;

function openOne(
  url: string,
  query: string | null,
  id: number,
  params: Record<string, string> | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: params })));
    socket.once('message', () => {
      const payload = { query: query ?? '' };
      socket.send(JSON.stringify({ type: 'subscribe', id: `s${id}`, payload }), () => resolve());
      // Neither looks into the messages: what is compared is their way.
      socket.on('message', () => {
        times.push(now());
        missing -= 1;
        if (missing === 0) done();
      });
    });
  });
}

async function answer(message: Ask): Promise<Reply> {
  if (message.ask === 'open') {
    for (let id = 0; id < message.count; id += OPEN_AT_A_TIME) {
      const some = Math.min(OPEN_AT_A_TIME, message.count - id);
      const { url, query, params } = message;
      const next = Array.from({ length: some }, (_, index) => id + index);
      await Promise.all(next.map((each) => openOne(url, query, each, params?.[each])));
    }
    readers = message.count;
    // The last subscriptions are on their way still.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  } else if (message.ask === 'expect') {
    times = [];
    missing = readers * message.count;
    received = new Promise((resolve) => {
      done = resolve;
    });
  } else {
    await received;
    const { since } = message;
    if (since !== undefined) {
      const waits = times.map((at) => at - since);
      return { lastAt: times.at(-1) ?? 0, p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) };
    }
  }
  return { lastAt: times.at(-1) ?? 0, p50: 0, p99: 0 };
}

process.on('message', (message: Ask) => {
  void answer(message).then((reply) => process.send?.(reply));
});

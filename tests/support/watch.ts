import { createClient as createWsClient } from 'graphql-ws';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { openEventStream } from './event-stream.ts';
import { Inbox } from './inbox.ts';
import { listenersOf } from './listeners.ts';
import { settled } from './settled.ts';
import type { TestShop } from './shop.ts';
import { until } from './until.ts';

/** One subscription of a test's: its events come in order, none missed. */
export interface Watched<Data> {
  events: Inbox<Data>;
  /** Resolves when the server ends it, with the codes of the errors that came. */
  ended: Promise<string[]>;
  stop(): void;
}

export type Transport = 'WebSocket' | 'SSE';
export const transports: readonly Transport[] = ['WebSocket', 'SSE'];

/** Who subscribes. */
export interface Viewer {
  accessToken?: string;
  cartToken?: string;
}

/** Subscribes; it ends with the test at the latest. */
export function watch<Data = Record<string, unknown>>(
  shop: TestShop,
  transport: Transport,
  query: string,
  viewer: Viewer = {},
): Watched<Data> {
  const watched = transport === 'SSE' ? overSse<Data>(shop, query, viewer) : overSocket<Data>(shop, query, viewer);
  let over = false;
  void watched.ended.then(
    () => (over = true),
    () => (over = true),
  );
  // Gone before the next test counts who listens.
  onTestFinished(async () => {
    const running = shop.app.subscriptions();
    watched.stop();
    if (!over && running > 0) await until('it is let go', () => shop.app.subscriptions() < running || over);
  });
  return watched;
}

/** The same from now on: what happens later is seen, and nothing of before. */
export async function watchNow<Data = Record<string, unknown>>(
  shop: TestShop,
  transport: Transport,
  query: string,
  viewer: Viewer = {},
): Promise<Watched<Data>> {
  await settled(shop);
  const before = listenersOf(shop);
  const watched = watch<Data>(shop, transport, query, viewer);
  await until('the subscription stands', () => listenersOf(shop) > before);
  return watched;
}

function codesOf(errors: unknown): string[] {
  const list = (Array.isArray(errors) ? errors : [errors]) as { extensions?: { code?: string } }[];
  return list.map((error) => error.extensions?.code ?? `no code: ${JSON.stringify(error)}`);
}

function overSocket<Data>({ wsUrl }: TestShop, query: string, viewer: Viewer): Watched<Data> {
  const client = createWsClient({
    url: wsUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { ...viewer },
  });
  const events = new Inbox<Data>();
  const codes: string[] = [];
  let end: (codes: string[]) => void = () => {};
  const ended = new Promise<string[]>((resolve) => {
    end = resolve;
  });
  client.subscribe<Data>(
    { query },
    {
      next({ data, errors }) {
        if (errors !== undefined) codes.push(...codesOf(errors));
        if (data != null) events.put(data);
      },
      error(error) {
        codes.push(...codesOf(error));
        end(codes);
      },
      complete: () => end(codes),
    },
  );
  return { events, ended, stop: () => void client.dispose() };
}

function overSse<Data>({ url }: TestShop, query: string, { accessToken, cartToken }: Viewer): Watched<Data> {
  const headers = {
    ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    ...(cartToken === undefined ? {} : { 'x-cart-token': cartToken }),
  };
  const events = new Inbox<Data>();
  const codes: string[] = [];
  let stopped = false;
  let stop = () => {
    stopped = true;
  };
  const ended = openEventStream(url, query, headers).then(async (stream) => {
    stop = () => stream.close();
    if (stopped) stop();
    for (;;) {
      const { event, data } = await Promise.race([stream.events.take(60_000), gone(stream.ended)]);
      if (data?.errors !== undefined) codes.push(...codesOf(data.errors));
      if (data?.data != null) events.put(data.data as Data);
      if (event === 'complete') return codes;
    }
  });
  // Whoever does not ask how it ended does not want to know.
  ended.catch(() => {});
  return { events, ended, stop: () => stop() };
}

async function gone(ended: Promise<boolean>) {
  await ended;
  return { event: 'complete', data: null };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { FormattedExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { ShopNotReachable, type TortureShop } from './shop.ts';
import type { Level } from './verdict.ts';

/** What a customer who watches the shelf over WebSocket sees. */
export interface StockWatch {
  /** In the order in which it came. */
  seen: readonly Level[];
  /** Waits until so many have come; gives up after a while. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
}

const QUERY = 'subscription ($ids: [ID!]) { stockChanged(variantIds: $ids) { available previousAvailable } }';
const PATIENCE_MS = 10_000;

/** Subscribes to the variant, then puts the units on the shelf: the first event shows that nothing will be missed. */
export async function watchStock(shop: TortureShop, url: string, units: number): Promise<StockWatch> {
  const seen: Level[] = [];
  let broken: unknown;
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: (error) => {
      broken = error;
    },
  });
  const sink = {
    next({ data, errors }: FormattedExecutionResult<{ stockChanged: Level }>) {
      if (data == null) broken = errors;
      else seen.push({ ...data.stockChanged });
    },
    error: (error: unknown) => {
      broken = error;
    },
    complete: () => {},
  };
  client.subscribe({ query: QUERY, variables: { ids: [shop.globalId] } }, sink);

  async function until(count: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (seen.length < count && broken === undefined && performance.now() < deadline) await delay(20);
  }

  const close = async () => client.dispose();
  try {
    // What is asked after it on the same socket is answered after it was taken up.
    await answered(client);
    await shop.fill(units);
    await until(1);
    if (seen.length === 0) throw new Error(broken === undefined ? 'no event came' : JSON.stringify(broken));
  } catch (error) {
    await close();
    const { message } = error instanceof Error ? error : { message: JSON.stringify(error) };
    throw new ShopNotReachable(`The stock could not be watched over WebSocket at ${url}: ${message}`, { cause: error });
  }
  return { seen, until, close };
}

function answered(client: ReturnType<typeof createClient>): Promise<void> {
  return new Promise((resolve, reject) => {
    client.subscribe({ query: '{ shop { name } }' }, { next: () => {}, error: reject, complete: resolve });
  });
}

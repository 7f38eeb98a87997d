import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Credentials } from '../options.ts';
import type { Random } from './random.ts';

/** What the shop confirmed to its users, each thing once. */
export interface Confirmed {
  /** By idempotency key. */
  orders: Map<string, { id: string; number: string; units: number; email: string }>;
  adjustments: Map<string, number>;
  /** Checkouts and adjustments of which nobody knows in the end what became of them. */
  unknown: string[];
  /** One checkout or adjustment that was answered in two ways. */
  contradictions: string[];
  /** Answers without an outcome: each is asked for again. */
  unanswered: number;
}

export interface Load {
  confirmed: Confirmed;
  /** Ends it; everything that was begun is asked for until it has an outcome. */
  finish(): Promise<void>;
}

const ASK_WITHIN_MS = 8_000;
const AGAIN_AFTER_MS = 250;
/** After the end of the run, for what has no outcome yet. */
const PATIENCE_MS = 60_000;
const SHOPPER_PAUSE_MS = 400;
const STAFF_PAUSE_MS = 700;
const STAFF = 2;

const ADD = `mutation ($id: ID!, $quantity: Int!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: $quantity }] }) { cart { token } errors { code message } } }`;
const CHECKOUT = `mutation ($key: String!, $email: String!) {
  payload: checkout(input: { idempotencyKey: $key, email: $email }) {
    order { id number totalQuantity } errors { code message } } }`;
const ADJUST = `mutation ($id: ID!, $delta: Int!, $key: String!) {
  payload: stockAdjust(input: { variantId: $id, delta: $delta, reason: RESTOCK, idempotencyKey: $key, note: "torture" }) {
    variant { id } errors { code message } } }`;
const LOGIN = `mutation ($email: String!, $password: String!) {
  payload: login(input: { email: $email, password: $password, tokens: BODY }) { accessToken errors { code message } } }`;

interface Payload {
  cart?: { token: string | null } | null;
  order?: { id: string; number: string; totalQuantity: number } | null;
  variant?: { id: string } | null;
  accessToken?: string | null;
  errors: { code: string; message: string }[];
}

/**
 * Shoppers who add to a cart and check out, again and again, and staff who restock. Each checkout and each adjustment is sent
 * with its key until it has an outcome, to whichever node.
 * @param options.variants global ids
 */
export function startLoad(options: {
  urls: readonly string[];
  variants: readonly string[];
  shoppers: number;
  admin: Credentials;
  random: Random;
}): Load {
  const { urls, variants, shoppers, admin, random } = options;
  const confirmed: Confirmed = {
    orders: new Map(),
    adjustments: new Map(),
    unknown: [],
    contradictions: [],
    unanswered: 0,
  };
  const stop = new AbortController();
  let deadline = Infinity;

  /** Null where no outcome came. */
  async function send(query: string, variables: object, headers: Record<string, string> = {}): Promise<Payload | null> {
    try {
      const response = await fetch(`${random.oneOf(urls)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(ASK_WITHIN_MS),
      });
      const { data } = (await response.json()) as { data?: { payload?: Payload | null } | null };
      const payload = data?.payload ?? null;
      if (payload === null) confirmed.unanswered += 1;
      return payload;
    } catch {
      confirmed.unanswered += 1;
      return null;
    }
  }

  const pause = (ms: number) => delay(ms * (0.5 + Math.random()), undefined, { signal: stop.signal }).catch(() => {});

  async function shop(): Promise<void> {
    while (!stop.signal.aborted) {
      const quantity = random.between(1, 3);
      const added = await send(ADD, { id: random.oneOf(variants), quantity });
      const token = added?.cart?.token;
      if (token != null) await checkOut(token, uuid());
      await pause(SHOPPER_PAUSE_MS);
    }
  }

  async function checkOut(token: string, key: string): Promise<void> {
    const email = `shopper-${key}@example.com`;
    while (Date.now() < deadline) {
      const payload = await send(CHECKOUT, { key, email }, { 'x-cart-token': token });
      const order = payload?.order;
      if (order != null) {
        const before = confirmed.orders.get(key);
        if (before !== undefined && before.id !== order.id)
          confirmed.contradictions.push(`${key}: ${before.id}, ${order.id}`);
        confirmed.orders.set(key, { id: order.id, number: order.number, units: order.totalQuantity, email });
        // Now and then once more: it is to be the same order.
        if (before !== undefined || random.below(5) > 1) return;
        continue;
      }
      // Its time may have run out meanwhile; then there is nothing to buy any more.
      if (payload !== null && payload.errors.length > 0) {
        if (confirmed.orders.has(key))
          confirmed.contradictions.push(`${key}: an order, then ${payload.errors[0]?.code}`);
        return;
      }
      await delay(AGAIN_AFTER_MS);
    }
    if (!confirmed.orders.has(key)) confirmed.unknown.push(`checkout ${key}`);
  }

  async function restock(): Promise<void> {
    let authorization = '';
    while (!stop.signal.aborted) {
      const [key, delta, id] = [uuid(), random.between(1, 5), random.oneOf(variants)];
      let settled = false;
      while (!settled && Date.now() < deadline) {
        const payload = authorization === '' ? null : await send(ADJUST, { id, delta, key }, { authorization });
        if (payload?.variant != null) {
          confirmed.adjustments.set(key, delta);
          settled = true;
        } else if (payload !== null && payload.errors.length > 0) {
          confirmed.contradictions.push(`adjustment ${key}: ${payload.errors[0]?.message}`);
          settled = true;
        } else {
          const login = await send(LOGIN, admin);
          if (login?.accessToken != null) authorization = `Bearer ${login.accessToken}`;
          else await delay(AGAIN_AFTER_MS);
        }
      }
      if (!settled) confirmed.unknown.push(`adjustment ${key}`);
      await pause(STAFF_PAUSE_MS);
    }
  }

  const all = [...Array.from({ length: shoppers }, shop), ...Array.from({ length: STAFF }, restock)];
  return {
    confirmed,
    async finish() {
      deadline = Date.now() + PATIENCE_MS;
      stop.abort();
      await Promise.all(all);
    },
  };
}

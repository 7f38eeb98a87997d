import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import { ask, type Answer, type Caller } from '../torture/http.ts';
import type { Credentials } from '../options.ts';
import { ShopNotReachable } from '../torture/shop.ts';
import type { Options } from './options.ts';
import type { Shelf } from './shelf.ts';

/** What the shop answered to the writers. */
export interface Written {
  /** Changes that a node answered with success. */
  answered: number;
  /** Changes that no node answered, since it was gone: they may have been made or not. */
  unanswered: number;
  /** Answers that nobody should ever get. */
  faults: string[];
}

interface Payload {
  cart?: { token: string | null; lines: { id: string }[] } | null;
  variant?: { id: string } | null;
  errors: { code: string; message: string }[];
}

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(input: { email: $email, password: $password, tokens: BODY }) { accessToken user { role } errors { message } } }`;
const ADJUST = `mutation ($id: ID!, $delta: Int!, $reason: StockAdjustReason!, $key: String!) {
  payload: stockAdjust(input: { variantId: $id, delta: $delta, reason: $reason, idempotencyKey: $key, note: "torture" }) {
    variant { id } errors { code message } } }`;
const CART = 'cart { token lines { id } } errors { code message }';
const ADD = `mutation ($id: ID!, $quantity: Int!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: $quantity }] }) { ${CART} } }`;
const REMOVE = `mutation ($id: ID!) {
  payload: cartLinesUpdate(input: { lines: [{ id: $id, quantity: 0 }] }) { ${CART} } }`;

/** A node is gone, or is about to go or to come. */
class NoAnswer extends Error {}

/**
 * Moves stock until `signal` says that it is enough: every other writer as staff, where somebody is named, who adjusts it;
 * the others as guests, who put something in a cart and take it out again. Each asks a node at random.
 */
export async function write(
  shelf: Shelf,
  { urls, writers, rate, admin }: Pick<Options, 'urls' | 'writers' | 'rate' | 'admin'>,
  signal: AbortSignal,
): Promise<Written> {
  const written: Written = { answered: 0, unanswered: 0, faults: [] };
  const variants = shelf.products.flatMap((product) => product.variants.map((variant) => variant.globalId));
  const pauseMs = (1000 * writers) / rate;
  let staff = admin === null ? null : await login(urls[0] ?? '', admin);

  async function send(url: string, query: string, variables: Record<string, unknown>, caller: Caller) {
    let answer: Answer;
    try {
      answer = await ask(url, query, variables, caller);
    } catch (error) {
      throw new NoAnswer(String(error));
    }
    if (answer.status === 503) throw new NoAnswer('503');
    const payload = answer.data?.payload as Payload | null | undefined;
    if (payload != null && payload.errors.length === 0) return payload;
    if (answer.errors?.some(({ extensions }) => extensions?.['code'] === 'RATE_LIMITED') === true) {
      throw new ShopNotReachable(
        `The shop at ${url} limits what one client may do. Start it with RATE_LIMITS=off for this run.`,
      );
    }
    if (answer.status === 401 && admin !== null) staff = await login(url, admin);
    else throw new Error(`status ${answer.status}, ${JSON.stringify(answer.errors ?? payload)}`);
    throw new NoAnswer('the access token was over');
  }

  function adjusting(accessToken: () => string) {
    return async (url: string) => {
      const delta = randomInt(2) === 0 ? -1 - randomInt(3) : 1 + randomInt(3);
      const reason = delta > 0 ? 'RESTOCK' : 'DAMAGE';
      await send(url, ADJUST, { id: oneOf(variants), delta, reason, key: uuid() }, { accessToken: accessToken() });
    };
  }

  function shopping() {
    let caller: Caller = {};
    let line: string | undefined;
    return async (url: string) => {
      try {
        const removed = line;
        line = undefined;
        if (removed !== undefined) {
          await send(url, REMOVE, { id: removed }, caller);
          return;
        }
        const { cart } = await send(url, ADD, { id: oneOf(variants), quantity: 1 + randomInt(3) }, caller);
        line = cart?.lines[0]?.id;
        if (cart?.token != null) caller = { cartToken: cart.token };
      } catch (error) {
        // What became of the cart nobody knows: somebody else goes on.
        caller = {};
        throw error;
      }
    };
  }

  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  setMaxListeners(0, over);

  async function run(change: (url: string) => Promise<void>): Promise<void> {
    while (!over.aborted) {
      await delay(pauseMs * (0.5 + Math.random()), undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      try {
        await change(oneOf(urls));
        written.answered += 1;
      } catch (error) {
        if (error instanceof ShopNotReachable) {
          failed.abort();
          throw error;
        }
        if (error instanceof NoAnswer) written.unanswered += 1;
        else written.faults.push(`a write: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  const kinds = Array.from({ length: writers }, (_, index) =>
    staff !== null && index % 2 === 0 ? adjusting(() => staff ?? '') : shopping(),
  );
  const running = kinds.map(run);
  // A writer who is still at it would use a shelf that is closed.
  await Promise.allSettled(running);
  await Promise.all(running);
  return written;
}

function oneOf<T>(items: readonly T[]): T {
  const item = items[randomInt(items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

async function login(url: string, { email, password }: Credentials): Promise<string> {
  const { data, errors } = await ask(url, LOGIN, { email, password });
  const payload = data?.login as
    { accessToken: string | null; user: { role: string } | null; errors: { message: string }[] } | null | undefined;
  const fault = errors?.[0]?.message ?? payload?.errors[0]?.message;
  if (payload?.accessToken == null) {
    throw new ShopNotReachable(`${email} could not be logged in to write: ${fault ?? 'no token came'}`);
  }
  if (payload.user?.role === 'CUSTOMER') throw new ShopNotReachable(`${email} is nobody of the staff: cannot write.`);
  return payload.accessToken;
}

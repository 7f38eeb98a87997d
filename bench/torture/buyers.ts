import { randomInt } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { ask, type Caller } from './http.ts';
import type { Options } from './options.ts';
import { ShopNotReachable, type TortureShop } from './shop.ts';

/** What became of one buyer, by the answers that the shop gave. */
export interface Outcome {
  asked: number;
  /** How the buyer came to have an account; null: a guest to the end. */
  account: 'registered first' | 'registered with a cart' | 'came back' | null;
  end: 'bought' | 'gave back' | 'walked away' | 'too late' | 'too slow' | 'failed';
  /** Units that the buyer has an order of. */
  bought: number;
  /** Units in the cart of one who walked away. */
  held: number;
  /** The order's number, once for each answer to the buyer's checkouts. */
  orders: string[];
}

/** What the shop confirmed to the crowd, and how long it took. */
export interface Crowd {
  outcomes: Outcome[];
  /** Milliseconds by what was asked for. */
  latencies: { enter: number[]; add: number[]; change: number[]; checkout: number[] };
  /** Answers that nobody should ever get. */
  faults: string[];
}

type Step = keyof Crowd['latencies'];

const ERRORS = 'errors { code message ... on InsufficientStockError { requested available } }';
const CART = 'cart { token totalQuantity lines { id quantity } }';
const ENTERED = `accessToken ${CART} cartNotices { code } errors { code message }`;
const REGISTER = `mutation ($email: String!, $password: String!) {
  payload: register(input: { email: $email, password: $password, name: "Buyer", tokens: BODY }) { ${ENTERED} } }`;
const LOGIN = `mutation ($email: String!, $password: String!) {
  payload: login(input: { email: $email, password: $password, tokens: BODY }) { ${ENTERED} } }`;
const ADD = `mutation ($id: ID!, $quantity: Int!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: $quantity }] }) { ${CART} ${ERRORS} } }`;
const UPDATE = `mutation ($id: ID!, $quantity: Int!) {
  payload: cartLinesUpdate(input: { lines: [{ id: $id, quantity: $quantity }] }) { ${CART} ${ERRORS} } }`;
const CHECKOUT = `mutation ($key: String!) {
  payload: checkout(input: { idempotencyKey: $key, email: "buyer@example.com" }) { order { number totalQuantity } ${ERRORS} } }`;

interface Payload {
  cart?: { token: string | null; totalQuantity: number; lines: { id: string; quantity: number }[] } | null;
  order?: { number: string; totalQuantity: number } | null;
  accessToken?: string | null;
  cartNotices?: { code: string }[];
  errors: { code: string; message: string; requested?: number; available?: number }[];
}

/** Thrown once a buyer got an answer that ends the visit. */
class Fault extends Error {}

/** Sends the buyers in, so many at a time, until all have been or `signal` says that it is enough. */
export async function sendBuyers(
  shop: TortureShop,
  { buyers, concurrency, loggedIn }: Options,
  signal: AbortSignal,
  onLeave: (outcome: Outcome) => void,
): Promise<Crowd> {
  const crowd: Crowd = { outcomes: [], latencies: { enter: [], add: [], change: [], checkout: [] }, faults: [] };
  let next = 0;
  const door = async () => {
    while (next < buyers && !signal.aborted) {
      next += 1;
      const account = randomInt(10_000) < 10_000 * loggedIn ? (ACCOUNTS[randomInt(ACCOUNTS.length)] ?? null) : null;
      const outcome = await visit(shop, crowd, { key: `torture ${next}`, account });
      crowd.outcomes.push(outcome);
      onLeave(outcome);
    }
  };
  const doors = Array.from({ length: Math.min(concurrency, buyers) }, () =>
    door().catch((error: unknown) => {
      next = buyers;
      throw error;
    }),
  );
  // A buyer who is still inside would use a shop that is closed.
  await Promise.allSettled(doors);
  await Promise.all(doors);
  return crowd;
}

const ACCOUNTS = ['registered first', 'registered with a cart', 'came back'] as const;

function chance(percent: number): boolean {
  return randomInt(100) < percent;
}

/** One buyer, from the door to the door. */
async function visit(
  shop: TortureShop,
  crowd: Crowd,
  { key, account }: { key: string; account: Outcome['account'] },
): Promise<Outcome> {
  const outcome: Outcome = { asked: 1 + randomInt(3), account, end: 'failed', bought: 0, held: 0, orders: [] };
  const who = { email: `torture-${uuid()}@example.com`, password: `torture ${uuid()}` };
  let caller: Caller = {};

  async function send(step: Step, query: string, variables: Record<string, unknown>): Promise<Payload> {
    const began = performance.now();
    const { status, data, errors } = await ask(shop.url, query, variables, caller);
    crowd.latencies[step].push(performance.now() - began);
    const payload = data?.payload as Payload | null | undefined;
    if (status === 200 && errors === undefined && payload != null) return payload;
    if (errors?.some(({ extensions }) => extensions?.['code'] === 'RATE_LIMITED') === true) {
      throw new ShopNotReachable(
        `The shop at ${shop.url} limits what one client may do. Start it with RATE_LIMITS=off for this run.`,
      );
    }
    throw new Fault(`${step}: status ${status}, ${JSON.stringify(errors ?? data)}`);
  }

  /** Units that are refused must be refused for the right reason, and with numbers that make sense. */
  function checkRefusal(step: Step, { errors }: Payload, wanted: number): number {
    const [error] = errors;
    const available = error?.available ?? -1;
    const honest = errors.length === 1 && error?.requested === wanted && available >= 0 && available < wanted;
    if (error?.code !== 'INSUFFICIENT_STOCK' || !honest) {
      throw new Fault(`${step} of ${wanted} was refused with ${JSON.stringify(errors)}`);
    }
    return available;
  }

  /** Registers or logs in; what is in the guest's cart comes along, whole. */
  async function enter(query: string, units: number): Promise<Payload['cart']> {
    const { accessToken, cart, cartNotices, errors } = await send('enter', query, who);
    if (accessToken == null || errors.length > 0) throw new Fault(`enter: ${JSON.stringify(errors)}`);
    if (cartNotices?.length !== 0 || (cart?.totalQuantity ?? 0) !== units) {
      throw new Fault(`enter: of ${units} units ${cart?.totalQuantity ?? 0} followed, ${JSON.stringify(cartNotices)}`);
    }
    caller = { accessToken };
    return cart;
  }

  async function fillCart(): Promise<NonNullable<Payload['cart']> | null> {
    const first = await send('add', ADD, { id: shop.globalId, quantity: outcome.asked });
    if (first.cart != null) return first.cart;
    const left = checkRefusal('add', first, outcome.asked);
    if (left === 0) return null;
    // Rather fewer than none.
    const second = await send('add', ADD, { id: shop.globalId, quantity: left });
    if (second.cart == null) checkRefusal('add', second, left);
    return second.cart ?? null;
  }

  async function shopAround(): Promise<Outcome['end']> {
    if (account === 'registered first' || account === 'came back') await enter(REGISTER, 0);
    // On another device, as nobody in particular.
    if (account === 'came back') caller = {};
    let cart = await fillCart();
    if (cart === null) return 'too late';
    if (cart.token !== null) caller = { cartToken: cart.token };
    if (account === 'came back') cart = (await enter(LOGIN, cart.totalQuantity)) ?? cart;
    if (account === 'registered with a cart') cart = (await enter(REGISTER, cart.totalQuantity)) ?? cart;
    const [line] = cart.lines;
    if (line === undefined) throw new Fault('add: the cart is empty');
    if (chance(25)) {
      const quantity = 1 + randomInt(3);
      const changed = await send('change', UPDATE, { id: line.id, quantity });
      if (changed.errors.some((error) => error.code === 'CART_EXPIRED')) return 'too slow';
      if (changed.cart == null) checkRefusal('change', changed, quantity - line.quantity);
      cart = changed.cart ?? cart;
    }
    if (chance(10)) {
      const emptied = await send('change', UPDATE, { id: line.id, quantity: 0 });
      if (emptied.errors.some((error) => error.code === 'CART_EXPIRED')) return 'too slow';
      if (emptied.cart?.totalQuantity !== 0) throw new Fault(`change: ${JSON.stringify(emptied)}`);
      return 'gave back';
    }
    if (chance(3)) {
      outcome.held = cart.totalQuantity;
      return 'walked away';
    }
    return checkOut(cart.totalQuantity);
  }

  async function checkOut(units: number): Promise<Outcome['end']> {
    const answers = await Promise.all(
      Array.from({ length: chance(50) ? 2 : 1 }, () => send('checkout', CHECKOUT, { key })),
    );
    for (const { order, errors } of answers) {
      if (errors.some((error) => error.code === 'CART_EXPIRED')) return 'too slow';
      if (order == null) throw new Fault(`checkout: ${JSON.stringify(errors)}`);
      outcome.orders.push(order.number);
      outcome.bought = order.totalQuantity;
      if (order.totalQuantity !== units) {
        crowd.faults.push(`checkout: ${units} in the cart, ${order.totalQuantity} in the order`);
      }
    }
    return 'bought';
  }

  try {
    outcome.end = await shopAround();
  } catch (error) {
    if (error instanceof ShopNotReachable) throw error;
    crowd.faults.push(error instanceof Fault ? error.message : `no answer: ${String(error)}`);
  }
  return outcome;
}

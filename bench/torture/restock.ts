import { randomInt } from 'node:crypto';
import { ask } from './http.ts';
import type { Credentials } from '../options.ts';
import type { Options } from './options.ts';
import { ShopNotReachable, type TortureShop } from './shop.ts';

/** What the shop confirmed to the restocker. */
export interface Restocked {
  /** Adjustments that were done, by the answers. */
  adjustments: number;
  /** Units that came by them, less those that went. */
  units: number;
  /** Adjustments that were sent more than once under their key. */
  sentAgain: number;
  /** Answers that nobody should ever get. */
  faults: string[];
}

/** Somebody of the staff who puts units on the shelf while the crowd is at it. */
export interface Restocking {
  /** Call it when another buyer has left: now and then it is time for a restock. */
  onLeave(): void;
  /** Waits until all is there. */
  finish(): Promise<Restocked>;
  /** Begins nothing more; waits for the portions that have begun. */
  close(): Promise<void>;
}

interface Adjustment {
  key: string;
  delta: number;
  reason: 'RESTOCK' | 'DAMAGE';
}

interface Payload {
  variant: { onHand: number; held: number } | null;
  errors: { code: string; requested?: number; available?: number }[];
}

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(input: { email: $email, password: $password, tokens: BODY }) { accessToken user { role } errors { message } } }`;
const ADJUST = `mutation ($id: ID!, $delta: Int!, $reason: StockAdjustReason!, $key: String!) {
  payload: stockAdjust(input: { variantId: $id, delta: $delta, reason: $reason, idempotencyKey: $key, note: "torture" }) {
    variant { onHand held } errors { code ... on InsufficientStockError { requested available } } } }`;

/** In so many portions, where there are units enough. */
const PORTIONS = 20;

/** Nobody restocks. */
export const NO_RESTOCKING: Restocking = {
  onLeave: () => {},
  finish: () => Promise.resolve({ adjustments: 0, units: 0, sentAgain: 0, faults: [] }),
  close: () => Promise.resolve(),
};

/**
 * Logs in, to restock in portions as the buyers come and go. Every other portion has a unit too many,
 * which is taken away again where nobody was quicker; every other call is sent twice at once under its key. In the end some
 * keys are sent once more, as they were and with another number.
 */
export async function openRestocking(
  shop: TortureShop,
  { buyers, restock }: Options,
  admin: Credentials,
): Promise<Restocking> {
  const restocked: Restocked = { adjustments: 0, units: 0, sentAgain: 0, faults: [] };
  const done: Adjustment[] = [];
  const portions = Math.min(PORTIONS, restock);
  let accessToken = await login(shop.url, admin);
  let left = 0;
  let begun = 0;
  const work: Promise<void>[] = [];

  async function send({ key, delta, reason }: Adjustment): Promise<Payload> {
    for (let attempt = 1; ; attempt += 1) {
      const variables = { id: shop.globalId, delta, reason, key };
      const { status, data, errors } = await ask(shop.url, ADJUST, variables, { accessToken });
      const payload = data?.payload as Payload | null | undefined;
      if (status === 200 && errors === undefined && payload != null) return payload;
      if (status !== 401 || attempt > 1) throw new Error(`status ${status}, ${JSON.stringify(errors ?? data)}`);
      // The token's time is over. What is sent again under its key is done once.
      accessToken = await login(shop.url, admin);
    }
  }

  async function adjust(adjustment: Adjustment, times: number): Promise<void> {
    const answers = await Promise.all(Array.from({ length: times }, () => send(adjustment)));
    if (times > 1) restocked.sentAgain += 1;
    const accepted = answers.filter(({ variant, errors }) => variant !== null && errors.length === 0);
    const wanted = -adjustment.delta;
    const honest = answers.every(
      ({ variant, errors: [error] }) =>
        variant !== null ||
        (error?.code === 'INSUFFICIENT_STOCK' && error.requested === wanted && (error.available ?? wanted) < wanted),
    );
    if (!honest) restocked.faults.push(`restock of ${adjustment.delta}: ${JSON.stringify(answers)}`);
    if (accepted.length === 0) return;
    done.push(adjustment);
    restocked.adjustments += 1;
    restocked.units += adjustment.delta;
  }

  async function portion(index: number): Promise<void> {
    const upTo = (count: number) => Math.floor((count * restock) / portions);
    const surplus = index % 2;
    const delta = upTo(index + 1) - upTo(index) + surplus;
    const key = `${shop.sku} ${index}`;
    await adjust({ key, delta, reason: 'RESTOCK' }, 1 + randomInt(2));
    if (surplus > 0) await adjust({ key: `${key} too many`, delta: -surplus, reason: 'DAMAGE' }, 1 + randomInt(2));
  }

  /** What was done is not done again, and its key is good for nothing else. */
  async function sendAgain(adjustment: Adjustment): Promise<void> {
    restocked.sentAgain += 1;
    const { variant, errors } = await send(adjustment);
    if (variant === null) restocked.faults.push(`restock, sent again: ${JSON.stringify(errors)}`);
    const other = await send({ ...adjustment, delta: adjustment.delta + 1 + (adjustment.delta === -1 ? 1 : 0) });
    if (other.variant !== null || other.errors[0]?.code !== 'IDEMPOTENCY_KEY_REUSED') {
      restocked.faults.push(`restock, the key with another number: ${JSON.stringify(other)}`);
    }
  }

  /** What goes wrong is a fault of the shop's, and not the end of the run. */
  async function noted(step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      restocked.faults.push(`restock: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function begin(): void {
    work.push(noted(portion(begun)));
    begun += 1;
  }

  return {
    onLeave() {
      left += 1;
      while (begun < portions && left * (portions + 1) >= (begun + 1) * buyers) begin();
    },
    async finish() {
      while (begun < portions) begin();
      await Promise.all(work);
      for (const [index, adjustment] of done.entries()) if (index % 3 === 0) await noted(sendAgain(adjustment));
      return restocked;
    },
    async close() {
      begun = portions;
      await Promise.all(work);
    },
  };
}

async function login(url: string, { email, password }: Credentials): Promise<string> {
  const { data, errors } = await ask(url, LOGIN, { email, password });
  const payload = data?.login as
    { accessToken: string | null; user: { role: string } | null; errors: { message: string }[] } | null | undefined;
  const fault = errors?.[0]?.message ?? payload?.errors[0]?.message;
  if (payload?.accessToken == null) {
    throw new ShopNotReachable(`${email} could not be logged in to restock: ${fault ?? 'no token came'}`);
  }
  if (payload.user?.role === 'CUSTOMER') throw new ShopNotReachable(`${email} is nobody of the staff: cannot restock.`);
  return payload.accessToken;
}

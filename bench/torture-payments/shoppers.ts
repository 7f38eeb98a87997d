import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Random } from '../torture-faults/random.ts';

/** What a shopper does. Those in lower case are the outcomes of the pay page. */
const PLANS = [
  ...['pay', 'pay', 'pay', 'duplicate', 'reorder', 'lose-answer', 'pay-late', 'fail-late', 'challenge'],
  ...['DECLINED_THEN_PAYS', 'LEAVES', 'CANCELS_WHILE_PAYING'],
] as const;
export type Plan = (typeof PLANS)[number];

/** What a shopper was told in the end. */
export interface Told {
  plan: Plan;
  /** Global ID of the payment; null if none began. */
  paymentId: string | null;
  /** Number of the order that the shopper was shown. */
  orderNumber: string | null;
}

export interface Shopping {
  told: readonly Told[];
  /** Answers without an outcome: each was asked for again. */
  unanswered: number;
}

const ASK_WITHIN_MS = 8_000;
const AGAIN_AFTER_MS = 300;
/** A shopper who has waited so long for a unit, or for an answer, gives up. */
const PATIENCE_MS = 45_000;
const LANES = 16;

const ADD = `mutation ($id: ID!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: 1 }] }) { cart { token } errors { code } }
}`;
const START = `mutation ($key: String!, $email: String!) {
  payload: paymentStart(input: { provider: "test", idempotencyKey: $key, email: $email }) {
    payment { id state clientData { redirectUrl } order { number } } errors { code } }
}`;
const LOOK = `query ($id: ID!) { payload: payment(id: $id) { state order { number } } }`;
const SYNC = `mutation ($id: ID!) { payload: paymentSync(input: { id: $id }) { payment { state order { number } } errors { code } } }`;
const CANCEL = `mutation ($id: ID!) { payload: paymentCancel(input: { id: $id }) { payment { state } errors { code } } }`;

interface Paying {
  id: string;
  state: string;
  clientData: { redirectUrl: string | null } | null;
  order: { number: string } | null;
}

interface Payload {
  cart?: { token: string | null } | null;
  payment?: Paying | null;
  state?: string;
  order?: { number: string } | null;
  errors?: { code: string }[];
}

/**
 * Sends shoppers into the shop, some at a time. Each asks again until there is an outcome, at whichever node.
 * @param options.variantId global ID
 * @param options.mayEnter waits until the next shopper may come, so that the load lasts as long as the kills do
 */
export async function sendShoppers(options: {
  urls: readonly string[];
  variantId: string;
  shoppers: number;
  random: Random;
  mayEnter: (count: number) => Promise<boolean>;
}): Promise<Shopping> {
  const { urls, variantId, shoppers, random, mayEnter } = options;
  const told: Told[] = [];
  let unanswered = 0;
  let entered = 0;

  async function ask(query: string, variables: object, token: string | null): Promise<Payload | null> {
    try {
      const response = await fetch(`${random.oneOf(urls)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token === null ? {} : { 'x-cart-token': token }) },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(ASK_WITHIN_MS),
      });
      const { data } = (await response.json()) as { data?: { payload?: Payload | null } | null };
      if (data?.payload != null) return data.payload;
    } catch {
      // Asked for again.
    }
    unanswered += 1;
    return null;
  }

  /** Asks until there is an answer that is to the point; null if the shopper's patience is over. */
  async function persist<T>(work: () => Promise<T | null>): Promise<T | null> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const answer = await work();
      if (answer !== null) return answer;
      await delay(AGAIN_AFTER_MS * (0.5 + Math.random()));
    }
    return null;
  }

  /** The pay page is a page of the shop: each node shows it. */
  const choose = (page: string, outcome: string) =>
    persist(async () => {
      try {
        const { pathname } = new URL(page);
        const response = await fetch(`${random.oneOf(urls)}${pathname}`, {
          method: 'POST',
          body: new URLSearchParams({ outcome }),
          redirect: 'manual',
          signal: AbortSignal.timeout(ASK_WITHIN_MS),
        });
        await response.body?.cancel();
        return response.status < 500 ? response.status : null;
      } catch {
        unanswered += 1;
        return null;
      }
    });

  async function pay(plan: Plan, page: string, { id, token }: { id: string; token: string }): Promise<void> {
    if (plan === 'LEAVES') return;
    if (plan === 'DECLINED_THEN_PAYS') {
      await choose(page, 'decline');
      await choose(page, 'pay');
    } else if (plan === 'CANCELS_WHILE_PAYING') {
      await Promise.all([choose(page, 'pay'), persist(() => ask(CANCEL, { id }, token))]);
    } else {
      await choose(page, plan);
      if (plan === 'challenge') await choose(page, 'confirm');
    }
  }

  async function shop(plan: Plan): Promise<Told> {
    const nothing: Told = { plan, paymentId: null, orderNumber: null };
    const email = `payer-${uuid()}@example.com`;
    // Sold out for now: units come back from those who did not pay.
    const token = await persist(async () => (await ask(ADD, { id: variantId }, null))?.cart?.token ?? null);
    if (token === null) return nothing;
    const key = uuid();
    const started = await persist(async () => {
      const payload = await ask(START, { key, email }, token);
      if (payload === null) return null;
      const payment = payload.payment ?? null;
      if (payment === null) return { refused: payload.errors?.[0]?.code ?? 'UNKNOWN' };
      // Without the page the provider has not answered yet: the same call is sent again.
      return payment.state === 'PENDING' && payment.clientData === null ? null : payment;
    });
    if (started === null || 'refused' in started) return nothing;
    const { id } = started;
    const page = started.clientData?.redirectUrl ?? null;
    if (page !== null) await pay(plan, page, { id, token });
    // Some come back to the shop, which asks the provider then; the others only look.
    const looks = random.below(2) < 1 ? LOOK : SYNC;
    const end = plan === 'LEAVES' ? null : await persist(async () => settledOf(await ask(looks, { id }, token)));
    return { plan, paymentId: id, orderNumber: end?.number ?? null };
  }

  async function lane(): Promise<void> {
    for (;;) {
      const number = (entered += 1);
      if (number > shoppers || !(await mayEnter(number))) return;
      told.push(await shop(random.oneOf(PLANS)));
    }
  }

  await Promise.all(Array.from({ length: LANES }, lane));
  return {
    told,
    get unanswered() {
      return unanswered;
    },
  };
}

/** How a payment ended for its shopper; null as long as it has not. */
function settledOf(payload: Payload | null): { number: string | null } | null {
  const payment = payload?.payment ?? payload;
  if (payment?.state === undefined) return null;
  const number = payment.order?.number ?? null;
  if (number !== null) return { number };
  return payment.state === 'CANCELLED' || payment.state === 'FAILED' ? { number: null } : null;
}

import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Random } from '../torture-faults/random.ts';
import type { Bank } from './bank.ts';

/** What shoppers do, as often as they are listed. */
const PLANS = [
  ...['PAYS', 'PAYS', 'CONFIRMS', 'DECLINED_THEN_PAYS', 'PAYS_LATE', 'FAILS_LATE', 'LEAVES'],
  ...['CANCELS_WHILE_PAYING', 'CANCELS_WHILE_PAYING', 'BANK_AGREES_AFTERWARDS'],
] as const;
export type Plan = (typeof PLANS)[number];

/** What a shopper was shown in the end. */
export interface Outcome {
  plan: Plan;
  /** Global ID of the payment; null if none began. */
  paymentId: string | null;
  /** Number of the order that the shopper was shown. */
  orderNumber: string | null;
}

export interface Shopping {
  outcomes: readonly Outcome[];
  /** Answers without an outcome: each was asked for again. */
  unanswered: number;
}

const ASK_WITHIN_MS = 8_000;
const AGAIN_AFTER_MS = 300;
/** A shopper who has waited so long for an answer gives up. */
const PATIENCE_MS = 45_000;
/** So long a shopper waits for a unit that comes back from somebody who did not pay. */
const SOLD_OUT_PATIENCE_MS = 15_000;
const LANES = 16;
const LATE_MS = 10_000;
/** The share of orders that their shoppers cancel again. */
const CHANGE_THEIR_MINDS = 0.6;
/** Of the shoppers, from the first: those whose bank may agree after the time to pay. */
const LATEST_SHARE = 0.4;

const ADD = `mutation ($id: ID!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: 1 }] }) { cart { token } errors { code } }
}`;
const START = `mutation ($key: String!, $email: String!) {
  payload: paymentStart(input: { provider: "stripe", idempotencyKey: $key, email: $email }) {
    payment { id state clientData { clientSecret } order { id number } } errors { code } }
}`;
const LOOK = `query ($id: ID!) { payload: payment(id: $id) { state order { id number } } }`;
const SYNC = `mutation ($id: ID!) {
  payload: paymentSync(input: { id: $id }) { payment { state order { id number } } errors { code } } }`;
const CANCEL = `mutation ($id: ID!) { payload: paymentCancel(input: { id: $id }) { payment { state } errors { code } } }`;
const CANCEL_ORDER = `mutation ($id: ID!) { payload: orderCancel(input: { id: $id }) { order { number } errors { code } } }`;

interface ShownOrder {
  id: string;
  number: string;
}

interface Paying {
  id: string;
  state: string;
  clientData: { clientSecret: string | null } | null;
  order: ShownOrder | null;
}

interface Payload {
  cart?: { token: string | null } | null;
  payment?: Paying | null;
  state?: string;
  order?: ShownOrder | null;
  errors?: { code: string }[];
}

/**
 * Sends shoppers into the shop, some at a time. Each asks again until there is an outcome, at any node.
 * @param options.variantId global ID
 * @param options.graceMs after so long the shop has given up on a payment whatever the bank says
 * @param options.mayEnter waits until the next shopper may come, so that the load lasts as long as the kills do
 */
export async function sendShoppers(options: {
  urls: readonly string[];
  bank: Bank;
  variantId: string;
  shoppers: number;
  graceMs: number;
  random: Random;
  mayEnter: (count: number) => Promise<boolean>;
}): Promise<Shopping> {
  const { urls, bank, variantId, shoppers, graceMs, random, mayEnter } = options;
  const outcomes: Outcome[] = [];
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

  /** Asks until there is an answer that settles the question; null if the shopper's patience is over. */
  async function persist<T>(work: () => Promise<T | null>, patienceMs = PATIENCE_MS): Promise<T | null> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const answer = await work();
      if (answer !== null) return answer;
      await delay(AGAIN_AFTER_MS * (0.5 + Math.random()));
    }
    return null;
  }

  async function pay(plan: Plan, reference: string, { id, token }: { id: string; token: string }): Promise<void> {
    // Shoppers take a moment to fill in the form.
    const moment = () => delay(random.between(0, 1_000));
    await moment();
    if (plan === 'LEAVES') return;
    if (plan === 'DECLINED_THEN_PAYS') {
      bank.decline(reference);
      await moment();
    }
    if (plan === 'CONFIRMS') {
      bank.challenge(reference);
      await moment();
    }
    if (plan === 'PAYS_LATE') return bank.settleLater(reference, 'APPROVE', random.between(0, LATE_MS));
    if (plan === 'FAILS_LATE') return bank.settleLater(reference, 'DECLINE', random.between(0, LATE_MS));
    // Some before the shop gives up on the payment, some after that.
    if (plan === 'BANK_AGREES_AFTERWARDS') return bank.approveUnheard(reference, random.between(graceMs / 4, graceMs));
    if (plan !== 'CANCELS_WHILE_PAYING') return bank.approve(reference);
    const cancelled = persist(() => ask(CANCEL, { id }, token));
    await moment();
    bank.approve(reference);
    await cancelled;
  }

  async function shop(plan: Plan): Promise<Outcome> {
    const nothing: Outcome = { plan, paymentId: null, orderNumber: null };
    const email = `payer-${uuid()}@example.com`;
    // Sold out for now: units come back from those who did not pay.
    const added = async () => (await ask(ADD, { id: variantId }, null))?.cart?.token ?? null;
    const token = await persist(added, SOLD_OUT_PATIENCE_MS);
    if (token === null) return nothing;
    const key = uuid();
    const started = await persist(async () => {
      const payload = await ask(START, { key, email }, token);
      if (payload === null) return null;
      const payment = payload.payment ?? null;
      if (payment === null) return { refused: payload.errors?.[0]?.code ?? 'UNKNOWN' };
      // Without the client secret the provider has not answered yet: the same call is sent again.
      return payment.state === 'PENDING' && payment.clientData === null ? null : payment;
    });
    if (started === null || 'refused' in started) return nothing;
    const { id } = started;
    const reference = /^(pi_\w+)_secret_/.exec(started.clientData?.clientSecret ?? '')?.[1];
    if (reference !== undefined) await pay(plan, reference, { id, token });
    if (plan === 'LEAVES' || plan === 'BANK_AGREES_AFTERWARDS')
      return { plan, paymentId: id, orderNumber: started.order?.number ?? null };
    // Some come back to the shop, which asks the provider then; the others only look.
    const looks = random.below(2) < 1 ? LOOK : SYNC;
    const order = (await persist(async () => settledOf(await ask(looks, { id }, token))))?.order ?? null;
    // Those who change their minds are refunded, and keep units coming for those who want one.
    if (order !== null && random.below(1) < CHANGE_THEIR_MINDS)
      await persist(() => ask(CANCEL_ORDER, { id: order.id }, token));
    return { plan, paymentId: id, orderNumber: order?.number ?? null };
  }

  async function lane(): Promise<void> {
    for (;;) {
      const number = (entered += 1);
      if (number > shoppers || !(await mayEnter(number))) return;
      const plan = random.oneOf(PLANS);
      // The last ones would keep the run waiting for minutes.
      const isTooLate = plan === 'BANK_AGREES_AFTERWARDS' && number > shoppers * LATEST_SHARE;
      outcomes.push(await shop(isTooLate ? 'PAYS' : plan));
    }
  }

  await Promise.all(Array.from({ length: LANES }, lane));
  return {
    outcomes,
    get unanswered() {
      return unanswered;
    },
  };
}

/** How a payment ended for its shopper; null as long as it has not. */
function settledOf(payload: Payload | null): { order: ShownOrder | null } | null {
  const payment = payload?.payment ?? payload;
  if (payment?.state === undefined) return null;
  const order = payment.order ?? null;
  if (order !== null) return { order };
  return payment.state === 'CANCELLED' || payment.state === 'FAILED' ? { order: null } : null;
}

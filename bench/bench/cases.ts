import { randomUUID } from 'node:crypto';
import { Caller } from './caller.ts';
import { check, runRound, type Round, type Step } from './crowd.ts';
import type { Side } from './sides.ts';

/** Callers, and how long each round of a case takes. */
export interface Load {
  callers: number;
  roundMs: number;
}

/** A case, and what it is compared with in the same run. */
export interface Case {
  name: string;
  /** What one unit of the figure is. */
  unit: string;
  title: string;
  /** What stands beside it. */
  beside: string;
  /** The least ratio that is aimed at; null: none. */
  aim: number | null;
  /** The case needs a shop that is not in production. */
  isDemo?: true;
  ours(side: Side, load: Load): Promise<Round>;
  theirs(side: Side, load: Load): Promise<Round>;
}

const PRODUCT = 'slug title variants { id sku available price { amount } }';
const LIST = `query ($after: String!) { products(first: 20, after: $after) { nodes { ${PRODUCT} } } }`;
const ONE = `query ($slug: String!) { product(slug: $slug) { ${PRODUCT} } }`;
const TYPENAME = JSON.stringify({ query: '{ __typename }' });
const ADD = `mutation ($id: ID!) { cartLinesAdd(input: { lines: [{ variantId: $id, quantity: 1 }] }) {
  cart { token totalQuantity expiresAt total { amount } } errors { code } } }`;
const ADDRESS = 'name: "Ada", line1: "Road 1", city: "Berlin", postalCode: "10115", countryCode: "DE"';
const CHECKOUT = `mutation ($key: String!) { checkout(input: { idempotencyKey: $key, email: "buyer@example.com",
  shippingAddress: { ${ADDRESS} } }) {
  order { number total { amount } } errors { code } } }`;

const START = `mutation ($key: String!) { paymentStart(input: { provider: "test", idempotencyKey: $key, email: "buyer@example.com",
  shippingAddress: { ${ADDRESS} } }) { payment { id clientData { redirectUrl } } errors { code } } }`;
const CLIENT_DATA = `query ($id: ID!) { payment(id: $id) { clientData { redirectUrl } } }`;
const SYNC = `mutation ($id: ID!) { paymentSync(input: { id: $id }) { payment { order { number } } errors { code } } }`;

/** mulberry32: the same choices in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const listBodies = (cursors: readonly string[]) =>
  // The last page that is full begins after the 20th from the end.
  cursors.slice(0, -20).map((after) => JSON.stringify({ query: LIST, variables: { after } }));
const oneBodies = (slugs: readonly string[]) =>
  slugs.map((slug) => JSON.stringify({ query: ONE, variables: { slug } }));

function post(body: string, headers = ''): Step {
  return (caller) => caller.post(body, headers);
}

/** Every caller asks for any of these, until the time is over. */
function anyOf(url: string, bodies: readonly string[], { callers, roundMs }: Load): Promise<Round> {
  const steps = Array.from({ length: callers }, (_, index) => {
    const next = random(index + 1);
    return () => post(bodies[Math.floor(next() * bodies.length)] ?? '');
  });
  return runRound(url, steps, roundMs);
}

/** The callers ask for each of these once. */
function eachOnce(url: string, bodies: readonly string[], { callers }: Load): Promise<Round> {
  let at = 0;
  const next = () => {
    const body = bodies[at++];
    return body === undefined ? null : post(body);
  };
  return runRound(url, Array<() => Step | null>(callers).fill(next), Infinity);
}

/** The token of a guest who has a cart with this variant. */
async function enter(url: string, variantId: string): Promise<string> {
  const caller = await Caller.open(url);
  try {
    const answer = await caller.post(JSON.stringify({ query: ADD, variables: { id: variantId } }));
    check(answer);
    const { data } = JSON.parse(answer.body) as { data: { cartLinesAdd: { cart: { token: string } } } };
    return data.cartLinesAdd.cart.token;
  } finally {
    caller.close();
  }
}

/** A cart of a caller, by the header that says whose it is, and what is added to it in turn. */
interface Shopper {
  headers: string;
  bodies: string[];
}

/** Makes a cart that holds the first of these variants. */
async function enterWith(side: Side, variants: string[]): Promise<Shopper> {
  const token = await enter(side.url, variants[0] ?? '');
  return {
    headers: `x-cart-token: ${token}\r\n`,
    bodies: variants.map((id) => JSON.stringify({ query: ADD, variables: { id } })),
  };
}

/** A cart for each caller. */
async function shoppers(side: Side, callers: number, variantsOf: (caller: number) => string[]): Promise<Shopper[]> {
  const made: Shopper[] = [];
  for (let index = 0; index < callers; index += 1) made.push(await enterWith(side, variantsOf(index)));
  return made;
}

const LINES = 10;

/** Ten variants for each caller, no two callers the same ones as far as there are enough, from all over the catalogue. */
function spread({ variantIds }: Side) {
  return (caller: number) =>
    Array.from({ length: LINES }, (_, line) => variantIds[((caller * LINES + line) * 3) % variantIds.length] ?? '');
}

/** Adds of one unit that a line takes, with the one that the cart was made with. */
const ADDS_PER_LINE = 98;
/** More than a caller gets done in a second. */
const ADDS_PER_SECOND = 300;

/** As many carts as a caller can fill while a round lasts: a line holds so many units, and then refuses more. */
async function carts(side: Side, roundMs: number, variants: string[]): Promise<Shopper[]> {
  const most = (ADDS_PER_SECOND * roundMs) / 1000;
  const made: Shopper[] = [];
  while (made.length * ADDS_PER_LINE * variants.length < most) made.push(await enterWith(side, variants));
  return made;
}

async function adds(side: Side, { callers, roundMs }: Load, variantsOf: (caller: number) => string[]): Promise<Round> {
  const crowd = await Promise.all(
    Array.from({ length: callers }, (_, index) => carts(side, roundMs, variantsOf(index))),
  );
  const steps = crowd.map((own) => {
    const requests = own.flatMap(({ headers, bodies }) =>
      Array.from({ length: ADDS_PER_LINE }, () => bodies)
        .flat()
        .map((body) => post(body, headers)),
    );
    let at = 0;
    return () => requests[at++] ?? null;
  });
  return runRound(side.url, steps, roundMs);
}

async function orders(side: Side, { callers, roundMs }: Load): Promise<Round> {
  const crowd = await shoppers(side, callers, spread(side));
  const steps = crowd.map(({ headers, bodies }) => {
    let at = 0;
    return (): Step => async (caller) => {
      check(await caller.post(bodies[at++ % bodies.length] ?? '', headers));
      return caller.post(JSON.stringify({ query: CHECKOUT, variables: { key: randomUUID() } }), headers);
    };
  });
  return runRound(side.url, steps, roundMs);
}

interface Started {
  id: string;
  clientData: { redirectUrl: string } | null;
}

/** Orders that are paid at the test provider: begun, paid on its page, and asked for until the order is there. */
async function paidOrders(side: Side, { callers, roundMs }: Load): Promise<Round> {
  const crowd = await shoppers(side, callers, spread(side));
  const steps = crowd.map(({ headers, bodies }) => {
    let at = 0;
    return (): Step => async (caller) => {
      check(await caller.post(bodies[at++ % bodies.length] ?? '', headers));
      const started = await caller.post(JSON.stringify({ query: START, variables: { key: randomUUID() } }), headers);
      check(started);
      const { data } = JSON.parse(started.body) as { data: { paymentStart: { payment: Started } } };
      let { clientData } = data.paymentStart.payment;
      const { id } = data.paymentStart.payment;
      // A shop that has much to do answers before the provider has.
      while (clientData === null) {
        const answer = await caller.post(JSON.stringify({ query: CLIENT_DATA, variables: { id } }), headers);
        ({ clientData } = (JSON.parse(answer.body) as { data: { payment: Started } }).data.payment);
      }
      await caller.submit(new URL(clientData.redirectUrl).pathname, { outcome: 'pay' });
      for (;;) {
        const answer = await caller.post(JSON.stringify({ query: SYNC, variables: { id } }), headers);
        check(answer);
        if (answer.body.includes('"number":"')) return answer;
      }
    };
  });
  return runRound(side.url, steps, roundMs);
}

const typename = (side: Side, load: Load) => anyOf(side.url, [TYPENAME], load);
const spreadAdds = (side: Side, load: Load) => adds(side, load, spread(side));

const SQL = 'one SQL statement behind GraphQL Yoga';
type Bodies = (side: Side) => string[];

/** Any of these queries, each of which was answered before. */
function warm(bodiesOf: Bodies, baselineBodiesOf: Bodies): Pick<Case, 'unit' | 'beside' | 'ours' | 'theirs'> {
  return {
    unit: 'requests',
    beside: SQL,
    ours: async (side, load) => {
      await eachOnce(side.url, bodiesOf(side), load);
      return anyOf(side.url, bodiesOf(side), load);
    },
    theirs: (side, load) => anyOf(side.baselineUrl, baselineBodiesOf(side), load),
  };
}

/** Each of these queries once, after every product changed. */
function cold(bodiesOf: Bodies, baselineBodiesOf: Bodies): Pick<Case, 'unit' | 'beside' | 'ours' | 'theirs'> {
  return {
    unit: 'requests',
    beside: SQL,
    ours: async (side, load) => {
      await side.touchAll();
      return eachOnce(side.url, bodiesOf(side), load);
    },
    theirs: (side, load) => eachOnce(side.baselineUrl, baselineBodiesOf(side), load),
  };
}

const lists: [Bodies, Bodies] = [
  ({ cursors }) => listBodies(cursors),
  ({ baselineCursors }) => listBodies(baselineCursors),
];
const products: [Bodies, Bodies] = [({ slugs }) => oneBodies(slugs), ({ slugs }) => oneBodies(slugs)];

/** All cases, in the order in which they are run. */
export const cases: readonly Case[] = [
  {
    name: 'typename',
    unit: 'requests',
    title: '`{ __typename }`',
    beside: 'GraphQL Yoga alone',
    aim: 0.9,
    ours: typename,
    theirs: (side, load) => anyOf(side.baselineUrl, [TYPENAME], load),
  },
  { name: 'list-warm', title: '`products(first: 20)` with variants, cursors vary', aim: 1.5, ...warm(...lists) },
  { name: 'list-cold', title: 'the list, each page once after every product changed', aim: 0.8, ...cold(...lists) },
  { name: 'product-warm', title: '`product(slug)` with variants', aim: 1, ...warm(...products) },
  { name: 'product-cold', title: 'the product, each once after every product changed', aim: 0.8, ...cold(...products) },
  {
    name: 'add-spread',
    unit: 'requests',
    title: '`cartLinesAdd`, each caller its own cart and ten variants of its own',
    beside: "the shop's own `{ __typename }`",
    aim: 0.4,
    ours: spreadAdds,
    theirs: typename,
  },
  {
    name: 'add-same',
    unit: 'requests',
    title: '`cartLinesAdd`, each caller its own cart, all of them one variant',
    beside: '`cartLinesAdd` of different variants',
    aim: 0.9,
    ours: (side, load) => adds(side, load, () => side.variantIds.slice(0, 1)),
    theirs: spreadAdds,
  },
  {
    name: 'orders',
    unit: 'orders',
    title: '`cartLinesAdd` and `checkout`, with emails sent meanwhile',
    beside: '`cartLinesAdd` of different variants',
    aim: 0.4,
    ours: orders,
    theirs: spreadAdds,
  },
  {
    name: 'paid-orders',
    unit: 'orders',
    title: 'add, `paymentStart`, pay at the test provider, `paymentSync`',
    beside: '`cartLinesAdd` and `checkout`',
    aim: null,
    isDemo: true,
    ours: paidOrders,
    theirs: orders,
  },
];

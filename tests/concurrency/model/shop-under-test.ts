import { AsyncLocalStorage } from 'node:async_hooks';
import { InsufficientStockError } from '../../../src/modules/inventory/inventory.errors.ts';
import { LimitExceededError, Refusal, type UserError } from '../../../src/modules/user-error.ts';
import { rowsOf } from '../../support/books.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { newGuest, openServices, type TestServices } from '../../support/services.ts';
import { held, LIMITS, newState, perform, type Command, type ModelState } from './shop-model.ts';

/*
 * The real services and the model side by side. Commands that run at once must come to what some order of theirs, one
 * after the other, comes to in the model: each command's answer, and all carts, orders and counters in the end.
 */

/** What may keep a command waiting before each of its statements. */
export type Brake = (statement: string) => Promise<void> | void;

/** The services as two processes have them; which brake applies to a statement is known by the call that it belongs to. */
export interface Nodes {
  services: readonly [TestServices, TestServices];
  running: AsyncLocalStorage<Brake>;
  /** How often which command was answered with what. */
  tally: Map<string, number>;
  dispose(): Promise<void>;
}

export function openNodes(url: string): Nodes {
  const running = new AsyncLocalStorage<Brake>();
  const options = { poolSize: 5, cart: LIMITS, before: (statement: string) => running.getStore()?.(statement) };
  const services = [openServices(url, options), openServices(url, options)] as const;
  const dispose = async () => {
    await Promise.all(services.map((each) => each.dispose()));
  };
  return { services: [...services], running, tally: new Map(), dispose };
}

/** A few guests and variants of their own, with the model of what has become of them. */
export interface Scene {
  state: ModelState;
  guestIds: readonly string[];
  variantIds: readonly string[];
}

export async function newScene({ services: [node] }: Nodes, guests: number, stock: readonly number[]): Promise<Scene> {
  const { variants } = await makeProduct(node, { variants: stock.map((onHand) => ({ onHand, price: 100 })) });
  const guestIds: string[] = [];
  for (let index = 0; index < guests; index += 1) guestIds.push((await newGuest(node)).guestId);
  return { state: newState(stock), guestIds, variantIds: variants.map((variant) => variant.id) };
}

/** A command on its way, with the brake that it is under. */
export interface Run {
  command: Command;
  brake?: Brake;
}

/** Does commands at once. @returns what does not agree with the model, in words; null where all is as it should be */
export async function runAtOnce(
  nodes: Nodes,
  scene: Scene,
  runs: readonly Run[],
  begin: (start: (index: number) => Promise<void>) => Promise<unknown> = (start) =>
    Promise.all(runs.map((_run, index) => start(index))),
): Promise<string | null> {
  const answers: string[] = [];
  await begin(async (index) => {
    const run = runs[index];
    if (run === undefined) throw new Error(`there is no command ${index}`);
    const { command, brake } = run;
    const services = nodes.services[index % 2] ?? nodes.services[0];
    const execution = () => execute(services, scene, command);
    const answer = await (brake === undefined ? execution() : nodes.running.run(brake, execution));
    answers[index] = answer;
    const codes = answer.match(/[A-Z]+_[A-Z_]+|CONFLICT/g) ?? [];
    for (const code of codes.length > 0 ? new Set(codes) : ['done']) {
      nodes.tally.set(`${command.kind}: ${code}`, (nodes.tally.get(`${command.kind}: ${code}`) ?? 0) + 1);
    }
  });
  const found = await readScene(nodes.services[0], scene);
  const given = answers.map((answer) => found.orders.get(answer) ?? answer);
  const explanations: string[] = [];
  for (const order of permutations(runs.map((_run, index) => index))) {
    const expected: string[] = [];
    let { state } = scene;
    for (const index of order) {
      const done = perform(state, (runs[index] as Run).command);
      ({ state } = done);
      expected[index] = done.answer;
    }
    const described = describeModel(state, scene);
    if (expected.join('\n') === given.join('\n') && described.join('\n') === found.described.join('\n')) {
      scene.state = adopt(state, found, scene);
      return null;
    }
    explanations.push(`in the order ${order.join(', ')}:\n  ${[...expected, ...described].join('\n  ')}`);
  }
  const commands = runs.map(({ command }, index) => `${index}: ${JSON.stringify(command)} → ${given[index]}`);
  return [...commands, `found:`, ...found.described.map((line) => `  ${line}`), ...explanations].join('\n');
}

function permutations(items: readonly number[]): number[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

async function execute(services: TestServices, scene: Scene, command: Command): Promise<string> {
  try {
    return await send(services, scene, command);
  } catch (error) {
    if (error instanceof Refusal) return describeFaults(error.errors, scene);
    // A fault of the shop's own: no order of the commands explains it.
    return `failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function describeFaults(faults: readonly UserError[], { variantIds }: Scene): string {
  const described = faults.map((fault) => {
    if (fault instanceof InsufficientStockError) {
      return `${fault.code}(v${variantIds.indexOf(fault.variantId)} ${fault.requested}>${fault.available})`;
    }
    return fault instanceof LimitExceededError ? `${fault.code}(${fault.requested})` : fault.code;
  });
  return described.join(' ');
}

async function send({ db, cart, orders }: TestServices, scene: Scene, command: Command): Promise<string> {
  const owner = 'guest' in command ? { guestId: scene.guestIds[command.guest] ?? '' } : { guestId: '' };
  const variantId = (variant: number) => scene.variantIds[variant] ?? '';
  switch (command.kind) {
    case 'add': {
      const wanted = command.wanted.map(({ variant, quantity }) => ({
        variantId: variantId(variant),
        quantity,
        variantPath: [],
        quantityPath: [],
      }));
      await cart.addLines(owner, wanted);
      return 'ok';
    }
    case 'update':
      await cart.updateLines(
        owner,
        command.updates.map(({ lineId, quantity }) => ({ id: lineId, quantity, idPath: [], quantityPath: [] })),
      );
      return 'ok';
    case 'reclaim': {
      const { notices } = await cart.reclaim(owner, command.cartId, []);
      return ['ok', ...(notices.length > 0 ? [describeFaults(notices, scene)] : [])].join(' ');
    }
    case 'checkout': {
      const request = {
        idempotencyKey: command.key,
        email: command.email,
        shippingAddress: null,
        expectedTotalMinor: null,
      };
      return (await orders.checkout(owner, request)).id;
    }
    case 'lapse': {
      const lapsed = await rowsOf(
        db,
        `UPDATE carts SET hold_started_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '1 second'
          WHERE guest_id = $1 AND status = 'ACTIVE' AND expires_at > clock_timestamp() RETURNING id`,
        [owner.guestId],
      );
      return lapsed.length > 0 ? 'lapsed' : 'none';
    }
    case 'expire':
      await cart.expireOverdue();
      return 'done';
    default: // reprice
      await rowsOf(db, 'UPDATE product_variants SET price_minor = $2 WHERE id = $1', [
        variantId(command.variant),
        command.price,
      ]);
      return 'done';
  }
}

interface FoundLine {
  id: string;
  variantId: string;
  quantity: number;
  price: number;
}

interface FoundCart {
  id: string;
  guestId: string;
  status: string;
  version: number;
  lines: FoundLine[];
}

interface Found {
  carts: FoundCart[];
  /** By id: what the order is in the model. */
  orders: Map<string, string>;
  described: string[];
}

// A cart past its time counts as expired, whether or not its units are back yet. When they come back, its version goes up.
const OVERDUE = `(c.status = 'ACTIVE' AND coalesce(c.expires_at <= clock_timestamp(), false))`;

const LEVELS = `SELECT on_hand AS "onHand", price_minor AS price, held - (
    SELECT coalesce(sum(l.quantity), 0)::int FROM cart_lines l JOIN carts c ON c.id = l.cart_id WHERE l.variant_id = v.id AND ${OVERDUE}) AS held
  FROM product_variants v WHERE id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], id)`;

const CARTS = `SELECT c.id, c.guest_id AS "guestId", CASE WHEN ${OVERDUE} THEN 'EXPIRED' ELSE c.status END AS status, c.version + ${OVERDUE}::int AS version, coalesce((
    SELECT jsonb_agg(jsonb_build_object('id', l.id, 'variantId', l.variant_id, 'quantity', l.quantity, 'price', l.unit_price_minor) ORDER BY l.position)
      FROM cart_lines l WHERE l.cart_id = c.id), '[]') AS lines
  FROM carts c WHERE c.guest_id = ANY($1::uuid[])`;

const ORDERS = `SELECT o.id, o.guest_id AS "guestId", o.idempotency_key AS key, o.email, (
    SELECT jsonb_agg(jsonb_build_object('variantId', l.variant_id, 'quantity', l.quantity, 'price', l.unit_price_minor) ORDER BY l.position)
      FROM order_lines l WHERE l.order_id = o.id) AS lines
  FROM orders o WHERE o.guest_id = ANY($1::uuid[])`;

/** Everything about the scene in the database, described as the model's state is. */
async function readScene({ db }: TestServices, scene: Scene): Promise<Found> {
  const { guestIds, variantIds, state } = scene;
  const levels = await rowsOf<{ onHand: number; held: number; price: number }>(db, LEVELS, [variantIds]);
  const carts = await rowsOf<FoundCart>(db, CARTS, [guestIds]);
  const orders = await rowsOf<{ id: string; guestId: string; key: string; email: string; lines: FoundLine[] }>(
    db,
    ORDERS,
    [guestIds],
  );
  const known = new Set(state.carts.flatMap((cart) => [cart.id, ...cart.lines.map((line) => line.id)]));
  const name = (id: string) => (known.has(id) ? id : 'new');
  const text = ({ variantId, quantity, price }: Omit<FoundLine, 'id'>) =>
    `${quantity} × v${variantIds.indexOf(variantId)} at ${price}`;
  const described = [
    ...levels.map(
      ({ onHand, held: units, price }, variant) => `v${variant}: ${onHand} on hand, ${units} held, at ${price}`,
    ),
    ...carts.map(({ id, guestId, status, version, lines }) => {
      const texts = lines.map((line) => `${text(line)} (${name(line.id)})`);
      return `cart ${name(id)} of guest ${guestIds.indexOf(guestId)}: ${status} ${version} [${texts.join(', ')}]`;
    }),
    ...orders.map(
      ({ guestId, key, email, lines }) =>
        `order ${key} of guest ${guestIds.indexOf(guestId)} for ${email} [${lines.map(text).join(', ')}]`,
    ),
  ];
  return {
    carts,
    orders: new Map(orders.map(({ id, key, guestId }) => [id, `order ${key} of guest ${guestIds.indexOf(guestId)}`])),
    described: described.toSorted(),
  };
}

function describeModel(state: ModelState, { variantIds }: Scene): string[] {
  const text = ({ variant, quantity, price }: { variant: number; quantity: number; price: number }) =>
    `${quantity} × v${variant} at ${price}`;
  return [
    ...variantIds.map(
      (_id, variant) =>
        `v${variant}: ${state.onHand[variant]} on hand, ${held(state, variant)} held, at ${state.prices[variant]}`,
    ),
    ...state.carts.map(({ id, guest, status, version, lines }) => {
      const texts = lines.map((line) => `${text(line)} (${line.id ?? 'new'})`);
      return `cart ${id ?? 'new'} of guest ${guest}: ${status} ${version} [${texts.join(', ')}]`;
    }),
    ...state.orders.map(
      ({ guest, key, email, lines }) => `order ${key} of guest ${guest} for ${email} [${lines.map(text).join(', ')}]`,
    ),
  ].toSorted();
}

/** The model's state with the ids that the database has made since; what it describes is the same. */
function adopt(
  state: ModelState,
  { carts }: Found,
  { guestIds, variantIds, state: { carts: before } }: Scene,
): ModelState {
  const known = new Set(before.map((cart) => cart.id));
  const unclaimed = new Set(carts.filter((cart) => !known.has(cart.id)));
  const shape = (cart: { status: string; version: number; lines: { quantity: number; price: number }[] }) =>
    JSON.stringify([cart.status, cart.version, cart.lines.map(({ quantity, price }) => [quantity, price])]);
  for (const cart of state.carts) {
    const isSame = (row: FoundCart) =>
      guestIds.indexOf(row.guestId) === cart.guest &&
      shape(row) === shape(cart) &&
      row.lines.every((line, index) => variantIds[cart.lines[index]?.variant ?? -1] === line.variantId);
    const row = cart.id === null ? [...unclaimed].find(isSame) : carts.find(({ id }) => id === cart.id);
    if (row === undefined) throw new Error('a cart of the model is not in the database, although they agree');
    unclaimed.delete(row);
    cart.id = row.id;
    for (const [index, line] of cart.lines.entries()) line.id = row.lines[index]?.id ?? null;
  }
  return state;
}

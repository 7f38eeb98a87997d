/*
 * A small model of the shop: what carts, orders and stock come to when commands are done one after the other. Written from
 * DESIGN.md and the API's descriptions. Variants and guests are numbers here. A cart past its time is EXPIRED at once,
 * whether or not its units are back yet: so `available` counts live carts alone.
 */

export interface ModelLine {
  /** Null until the database has returned it. */
  id: string | null;
  variant: number;
  quantity: number;
  price: number;
  position: number;
}

export interface ModelCart {
  id: string | null;
  guest: number;
  status: 'ACTIVE' | 'EXPIRED' | 'CHECKED_OUT' | 'MERGED';
  version: number;
  lines: ModelLine[];
  /** When something happened to it last, on a clock that counts. */
  touched: number;
}

export interface ModelOrder {
  guest: number;
  key: string;
  email: string;
  lines: { variant: number; quantity: number; price: number }[];
}

export interface ModelState {
  onHand: number[];
  prices: number[];
  carts: ModelCart[];
  orders: ModelOrder[];
  clock: number;
}

export type Command =
  | { kind: 'add'; guest: number; wanted: { variant: number; quantity: number }[] }
  | { kind: 'update'; guest: number; updates: { lineId: string; quantity: number }[] }
  | { kind: 'reclaim'; guest: number; cartId: string }
  | { kind: 'checkout'; guest: number; key: string; email: string }
  /** The cart's time runs out. */
  | { kind: 'lapse'; guest: number }
  /** What is overdue is expired, as far as nobody is at it. */
  | { kind: 'expire' }
  | { kind: 'reprice'; variant: number; price: number };

export const LIMITS = { maxUnitsPerVariant: 5, maxLines: 3 };

/** Thrown by commands that are refused: nothing has changed then. */
class Refused extends Error {}

function refuse(...faults: string[]): never {
  throw new Refused(faults.join(' '));
}

export function newState(onHand: readonly number[]): ModelState {
  return { onHand: [...onHand], prices: onHand.map(() => 100), carts: [], orders: [], clock: 0 };
}

/** Does a command. @returns the state afterwards, and what the caller is answered */
export function perform(before: ModelState, command: Command): { state: ModelState; answer: string } {
  const state = structuredClone(before);
  state.clock += 1;
  try {
    return { state, answer: run(state, command) };
  } catch (error) {
    if (error instanceof Refused) return { state: before, answer: error.message };
    throw error;
  }
}

function run(state: ModelState, command: Command): string {
  switch (command.kind) {
    case 'add':
      return add(state, command.guest, command.wanted);
    case 'update':
      return update(state, command.guest, command.updates);
    case 'reclaim':
      return reclaim(state, command.guest, command.cartId);
    case 'checkout':
      return checkout(state, command);
    case 'lapse': {
      const cart = liveCart(state, command.guest);
      if (cart === undefined || cart.lines.length === 0) return 'none';
      touch(state, cart).status = 'EXPIRED';
      return 'lapsed';
    }
    case 'expire':
      return 'done';
    default: // reprice
      state.prices[command.variant] = command.price;
      return 'done';
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function unitsIn(lines: readonly ModelLine[], variant: number): number {
  return sum(lines.map((line) => (line.variant === variant ? line.quantity : 0)));
}

export function held(state: ModelState, variant: number): number {
  return sum(state.carts.map((cart) => (cart.status === 'ACTIVE' ? unitsIn(cart.lines, variant) : 0)));
}

function available(state: ModelState, variant: number): number {
  return (state.onHand[variant] ?? 0) - held(state, variant);
}

function liveCart(state: ModelState, guest: number): ModelCart | undefined {
  return state.carts.find((cart) => cart.guest === guest && cart.status === 'ACTIVE');
}

function touch(state: ModelState, cart: ModelCart): ModelCart {
  cart.version += 1;
  cart.touched = state.clock;
  return cart;
}

/** The guest's live cart; refuses where its time is over, or where there is none. */
function mustBeLive(state: ModelState, guest: number, orElse: string): ModelCart {
  const live = liveCart(state, guest);
  if (live !== undefined) return live;
  const [latest] = state.carts.filter((cart) => cart.guest === guest).toSorted((a, b) => b.touched - a.touched);
  return refuse(latest?.status === 'EXPIRED' ? 'CART_EXPIRED' : orElse);
}

/** Lines while they are changed: those that are emptied stay until the end, so that they can be filled again. */
function put(state: ModelState, lines: ModelLine[], variant: number, quantity: number): void {
  const price = state.prices[variant] ?? 0;
  const same = lines.find((line) => line.variant === variant && line.price === price);
  if (same !== undefined) {
    same.quantity += quantity;
    return;
  }
  const position = 1 + Math.max(-1, ...lines.map((line) => line.position));
  lines.push({ id: null, variant, quantity, price, position });
}

function copyOf(lines: readonly ModelLine[]): ModelLine[] {
  return lines.map((line) => ({ ...line }));
}

function filled(lines: readonly ModelLine[]): ModelLine[] {
  return lines.filter((line) => line.quantity > 0).toSorted((a, b) => a.position - b.position);
}

function short(variant: number, requested: number, free: number): string {
  return `INSUFFICIENT_STOCK(v${variant} ${requested}>${free})`;
}

function limit(requested: number): string {
  return `LIMIT_EXCEEDED(${requested})`;
}

function faultsOfCount(lines: readonly ModelLine[]): string[] {
  const count = filled(lines).length;
  return count > LIMITS.maxLines ? [limit(count)] : [];
}

function add(state: ModelState, guest: number, wanted: readonly { variant: number; quantity: number }[]): string {
  let cart = liveCart(state, guest);
  if (cart === undefined) {
    cart = { id: null, guest, status: 'ACTIVE', version: 1, lines: [], touched: state.clock };
    state.carts.push(cart);
  }
  const sums = new Map<number, number>();
  for (const { variant, quantity } of wanted) sums.set(variant, (sums.get(variant) ?? 0) + quantity);
  const lines = copyOf(cart.lines);
  const faults: string[] = [];
  for (const [variant, quantity] of sums) {
    const all = unitsIn(lines, variant) + quantity;
    const free = available(state, variant);
    if (all > LIMITS.maxUnitsPerVariant) faults.push(limit(all));
    else if (free < quantity) faults.push(short(variant, quantity, free));
    put(state, lines, variant, quantity);
  }
  faults.push(...faultsOfCount(lines));
  if (faults.length > 0) refuse(...faults);
  touch(state, cart).lines = filled(lines);
  return 'ok';
}

function update(state: ModelState, guest: number, updates: readonly { lineId: string; quantity: number }[]): string {
  const cart = mustBeLive(state, guest, 'NOT_FOUND');
  const lines = copyOf(cart.lines);
  const faults: string[] = [];
  const more = new Map<number, number>();
  const raised = new Set<number>();
  for (const { lineId, quantity } of updates) {
    const line = cart.lines.find((candidate) => candidate.id === lineId);
    if (line === undefined) {
      faults.push('NOT_FOUND');
      continue;
    }
    const units = quantity - line.quantity;
    more.set(line.variant, (more.get(line.variant) ?? 0) + units);
    if (units > 0) {
      put(state, lines, line.variant, units);
      raised.add(line.variant);
    } else {
      const own = lines.find((candidate) => candidate.id === lineId);
      if (own !== undefined) own.quantity += units;
    }
  }
  for (const variant of raised) {
    const all = unitsIn(lines, variant);
    const free = available(state, variant);
    const units = more.get(variant) ?? 0;
    if (all > LIMITS.maxUnitsPerVariant) faults.push(limit(all));
    else if (free < units) faults.push(short(variant, units, free));
  }
  faults.push(...faultsOfCount(lines));
  if (faults.length > 0) refuse(...faults);
  if (JSON.stringify(filled(lines)) !== JSON.stringify(cart.lines)) touch(state, cart).lines = filled(lines);
  return 'ok';
}

function reclaim(state: ModelState, guest: number, cartId: string): string {
  const expired = state.carts.find((cart) => cart.id === cartId && cart.guest === guest);
  if (expired === undefined) refuse('NOT_FOUND');
  if (expired.status === 'ACTIVE') return 'ok';
  if (expired.status !== 'EXPIRED') refuse('CONFLICT');
  const live = liveCart(state, guest);
  const target = live ?? expired;
  const lines = copyOf(target.lines);
  if (live === undefined) for (const line of lines) line.quantity = 0;
  const faults: string[] = [];
  let taken = 0;
  for (const variant of new Set(expired.lines.map((line) => line.variant))) {
    const quantity = unitsIn(expired.lines, variant);
    const inCart = unitsIn(lines, variant);
    const free = available(state, variant);
    if (free < quantity) faults.push(short(variant, quantity, free));
    else if (inCart + quantity > LIMITS.maxUnitsPerVariant) faults.push(limit(inCart + quantity));
    const units = Math.min(quantity, free, Math.max(0, LIMITS.maxUnitsPerVariant - inCart));
    if (units === 0) continue;
    const tried = copyOf(lines);
    put(state, tried, variant, units);
    if (filled(tried).length > LIMITS.maxLines) {
      faults.push(limit(filled(tried).length));
      continue;
    }
    put(state, lines, variant, units);
    taken += units;
  }
  if (taken === 0) refuse(...faults);
  touch(state, target).lines = filled(lines);
  target.status = 'ACTIVE';
  if (live !== undefined) {
    touch(state, expired).lines = [];
    expired.status = 'MERGED';
  }
  return ['ok', ...faults].join(' ');
}

function checkout(state: ModelState, request: { guest: number; key: string; email: string }): string {
  const { guest, key, email } = request;
  const earlier = state.orders.find((order) => order.guest === guest && order.key === key);
  if (earlier !== undefined) {
    return earlier.email === email ? `order ${key} of guest ${guest}` : refuse('IDEMPOTENCY_KEY_REUSED');
  }
  const cart = mustBeLive(state, guest, 'CART_EMPTY');
  if (cart.lines.length === 0) refuse('CART_EMPTY');
  for (const { variant, quantity } of cart.lines) state.onHand[variant] = (state.onHand[variant] ?? 0) - quantity;
  const lines = cart.lines.map(({ variant, quantity, price }) => ({ variant, quantity, price }));
  state.orders.push({ guest, key, email, lines });
  touch(state, cart).status = 'CHECKED_OUT';
  return `order ${key} of guest ${guest}`;
}

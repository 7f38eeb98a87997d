import type { CheckoutInput } from '../../generated/graphql.ts';

/*
 * One attempt to buy has one idempotency key, whatever happens between the click and the answer: a double click, a reload, a lost
 * answer, a browser that goes back. It is kept by the tab, with what was sent, so that the same can be sent again.
 */

const PLACE = 'vitrine.checkout';

export interface Attempt {
  key: string;
  /** The cart that is bought: another cart is another attempt. */
  cartId: string;
  /** What was sent under the key and not answered yet. */
  sent: Sent | null;
}

/** An order to place, and the provider to pay with; null: it is paid for later, outside of the shop. */
export type Sent = CheckoutInput & { provider?: string | null };

let inMemory: Attempt | null = null;

/** The attempt of this tab, if there is one. */
export function readAttempt(): Attempt | null {
  try {
    const text = sessionStorage.getItem(PLACE);
    return text === null ? null : (JSON.parse(text) as Attempt);
  } catch {
    return inMemory;
  }
}

function keep(attempt: Attempt | null): void {
  inMemory = attempt;
  try {
    if (attempt === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, JSON.stringify(attempt));
  } catch {
    // Without storage it lives as long as the page.
  }
}

/** Notes what is about to be sent for a cart, and gives it with the key of the attempt. */
export function beginAttempt(cartId: string, input: Omit<Sent, 'idempotencyKey'>): Sent {
  const before = readAttempt();
  const key = before?.cartId === cartId ? before.key : crypto.randomUUID();
  const sent = { ...input, idempotencyKey: key };
  keep({ key, cartId, sent });
  return sent;
}

/** The shop refused: nothing was bought, and the key may be used for what is sent next. */
export function noteRefusal(): void {
  const attempt = readAttempt();
  if (attempt !== null) keep({ ...attempt, sent: null });
}

/** The order is there. */
export function endAttempt(): void {
  keep(null);
}

/*
 * The payment that this tab has begun. Providers send the shopper back to one address, whichever payment it was; and once the order is
 * placed, the cart that would lead to it is gone.
 */

const PLACE = 'vitrine.payment';
let inMemory: string | null = null;

/** The payment of this tab, if there is one. */
export function readOpenPayment(): string | null {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return inMemory;
  }
}

/** Notes the payment that was begun; null: it is over. */
export function noteOpenPayment(id: string | null): void {
  inMemory = id;
  try {
    if (id === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, id);
  } catch {
    // Without storage it lives as long as the page.
  }
}

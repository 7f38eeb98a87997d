/** An event about an order, for pages that count or list orders. */
export type OrderChange =
  | {
      kind: 'placed';
      occurredAt: string;
      order: { number: string; totalQuantity: number; total: { amount: string; currencyCode: string } };
    }
  | { kind: 'changed' };

const listeners = new Set<(change: OrderChange) => void>();

/** Passes an event on to the pages that are open. */
export function noteOrderChange(change: OrderChange): void {
  for (const listener of listeners) listener(change);
}

/** Calls `listener` with each event about an order. Returns how to stop. */
export function onOrderChange(listener: (change: OrderChange) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

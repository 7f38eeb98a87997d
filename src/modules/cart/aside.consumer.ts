import { defineConsumer, type Consumer } from '../../events/consumer.ts';
import { onlyIf } from '../../events/only.ts';
import { cartChanged } from './cart.events.ts';
import type { CartService } from './cart.service.ts';

/** Has carts that were set aside for a payment become or join the live cart of their user once the payment has ended, however it ends. */
export function createAsideCarts(carts: Pick<CartService, 'joinAside'>): Consumer {
  return defineConsumer({
    name: 'carts-set-aside',
    types: [cartChanged.type],
    only: [onlyIf(cartChanged, ['kind', 'in', ['PAYMENT', 'CHECKED_OUT', 'EXPIRED']])],
    async handle(tx, event) {
      const userId = cartChanged.read(event)?.userId ?? null;
      if (userId === null) return 'DONE';
      // Committed before the next event: the locks of one user are not held while those of another are waited for.
      return (await carts.joinAside(tx, userId)) ? 'MORE' : 'DONE';
    },
  });
}

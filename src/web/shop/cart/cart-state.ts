import { useEffect, useState } from 'react';
import type { CartDetailsFragment, ShopCartChangedSubscription } from '../../generated/graphql.ts';
import { serverNow } from '../../shared/clock.ts';
import '../components/picture.tsx';
import '../components/stock-note.tsx';
import './cart-prices.ts';
import { graphql } from '../../shared/graphql.ts';
import { createStore } from '../../shared/store.ts';
import { useLive, usePage } from '../../shared/use-live.ts';

graphql(`
  fragment CartDetails on Cart {
    id
    status
    version
    expiresAt
    email
    payment {
      id
      state
    }
    totalQuantity
    total {
      amount
      currencyCode
    }
    ...CartPrices
    lines {
      id
      quantity
      unitPrice {
        amount
        currencyCode
      }
      total {
        amount
        currencyCode
      }
      variant {
        ...VariantStock
        title
        sku
        product {
          id
          slug
          title
          images {
            ...Picture
          }
        }
      }
    }
  }
`);

const CART = graphql(`
  query ShopCart {
    serverTime(for: "ShopCart")
    eventCursor(for: "ShopCart")
    shop {
      name
    }
    me {
      id
      name
      email
    }
    cart {
      ...CartDetails
    }
  }
`);

const CART_CHANGED = graphql(`
  subscription ShopCartChanged($after: EventCursor) {
    cartChanged(after: $after) {
      cursor
      kind
      cart {
        ...CartDetails
      }
      variant {
        id
      }
    }
  }
`);

const CART_STOCK = graphql(`
  subscription CartStock($variantIds: [ID!], $after: EventCursor) {
    stockChanged(variantIds: $variantIds, after: $after) {
      cursor
      variant {
        id
        available
        availableForSale
      }
    }
  }
`);

/** Whether the drawer is open. */
export const cartOpen = createStore(false);

/** IDs of variants that ran low while they were in the cart, the last one first, until the shopper closes the message. */
export const runningLow = createStore<readonly string[]>([]);

function noteLowStock({ cartChanged: { kind, variant } }: ShopCartChangedSubscription): void {
  if (kind !== 'LOW_STOCK' || variant == null) return;
  runningLow.set([variant.id, ...runningLow.get().filter((id) => id !== variant.id)]);
}

/** The cart, the viewer and the shop's name, followed for as long as the shop is open. Stands once, in the layout. */
export function useCart() {
  const [{ data, fetching, error }, reload] = usePage(CART, {});
  useLive(CART_CHANGED, { variables: {}, after: data?.eventCursor, onEvent: noteLowStock });
  const cart = data?.cart ?? null;
  const variantIds = [...new Set(cart?.lines.map(({ variant }) => variant.id))].toSorted();
  useLive(CART_STOCK, { variables: { variantIds }, after: variantIds.length === 0 ? null : data?.eventCursor });
  const msLeft = useMsLeft(cart?.status === 'ACTIVE' ? cart.expiresAt : null);
  const over = msLeft === 0;
  useEffect(() => {
    // Its time is over for everyone at once; the event may take a moment longer.
    if (over) reload();
  }, [over]);
  return {
    cart,
    me: data?.me ?? null,
    shopName: data?.shop.name ?? null,
    loading: fetching && data === undefined,
    error,
  };
}

/** Milliseconds until a time by the server's clock, updated each second. Null without a time, 0 once it has passed. */
export function useMsLeft(instant: string | null | undefined): number | null {
  const left = () => (instant == null ? null : Math.max(0, Date.parse(instant) - serverNow()));
  const [, tick] = useState(0);
  useEffect(() => {
    if (instant == null) return () => {};
    let timer: ReturnType<typeof setTimeout>;
    const next = () => {
      const ms = Date.parse(instant) - serverNow();
      tick((count) => count + 1);
      // At the turn of the second, so that the count-down is even.
      if (ms > 0) timer = setTimeout(next, ms % 1000 || 1000);
    };
    next();
    return () => clearTimeout(timer);
  }, [instant]);
  return left();
}

/** Whether the cart's units are held no longer, as the server sees it. */
export const isExpired = (cart: CartDetailsFragment): boolean =>
  cart.status === 'EXPIRED' || (cart.expiresAt != null && Date.parse(cart.expiresAt) <= serverNow());

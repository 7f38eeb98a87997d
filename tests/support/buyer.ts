import { graphql } from '../generated/gql/index.ts';
import type { BuyerCartFragment, BuyerFaultFragment, BuyerOrderFragment } from '../generated/gql/graphql.ts';
import type { TestShop } from './shop.ts';

graphql(`
  fragment BuyerCart on Cart {
    id
    token
    status
    version
    totalQuantity
    expiresAt
    lines {
      id
      quantity
      variant {
        id
      }
      unitPrice {
        amount
      }
    }
  }
`);

graphql(`
  fragment BuyerFault on UserError {
    __typename
    code
    message
    path
    ... on InsufficientStockError {
      requested
      available
      variant {
        id
      }
    }
  }
`);

graphql(`
  fragment BuyerOrder on Order {
    id
    number
    totalQuantity
    total {
      amount
    }
  }
`);

const BuyerCreates = graphql(`
  mutation BuyerCreates {
    cartCreate {
      cart {
        ...BuyerCart
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerAdds = graphql(`
  mutation BuyerAdds($lines: [CartLineInput!]!) {
    cartLinesAdd(input: { lines: $lines }) {
      cart {
        ...BuyerCart
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerUpdates = graphql(`
  mutation BuyerUpdates($lines: [CartLineUpdateInput!]!) {
    cartLinesUpdate(input: { lines: $lines }) {
      cart {
        ...BuyerCart
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerRemoves = graphql(`
  mutation BuyerRemoves($ids: [ID!]!) {
    cartLinesRemove(input: { ids: $ids }) {
      cart {
        ...BuyerCart
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerReclaims = graphql(`
  mutation BuyerReclaims($cartId: ID!) {
    cartReclaim(input: { cartId: $cartId }) {
      cart {
        ...BuyerCart
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerChecksOut = graphql(`
  mutation BuyerChecksOut($input: CheckoutInput!) {
    checkout(input: $input) {
      order {
        ...BuyerOrder
      }
      errors {
        ...BuyerFault
      }
    }
  }
`);

const BuyerLooks = graphql(`
  query BuyerLooks {
    cart {
      ...BuyerCart
    }
  }
`);

export type { BuyerCartFragment as BuyerCart, BuyerFaultFragment as BuyerFault };

/** What a command on a cart was answered. */
export interface CartAnswer {
  cart: BuyerCartFragment | null;
  errors: BuyerFaultFragment[];
  /** The codes of `errors`. */
  codes: string[];
}

/** What a checkout was answered. */
export interface CheckoutAnswer {
  order: BuyerOrderFragment | null;
  errors: BuyerFaultFragment[];
  codes: string[];
}

/** A guest who shops over HTTP. Whatever is not data (a top-level error, a status other than 200) is thrown. */
export interface Buyer {
  token: string;
  add(...lines: { variantId: string; quantity: number }[]): Promise<CartAnswer>;
  update(...lines: { id: string; quantity: number }[]): Promise<CartAnswer>;
  remove(...ids: string[]): Promise<CartAnswer>;
  reclaim(cartId: string): Promise<CartAnswer>;
  checkout(idempotencyKey: string, input?: { email?: string; expectedTotal?: string }): Promise<CheckoutAnswer>;
  cart(): Promise<BuyerCartFragment | null>;
}

/** A buyer with a token that is known already. */
export function buyerOf(shop: TestShop, token: string): Buyer {
  const client = shop.client({ cartToken: token });
  const coded = <T extends { errors: BuyerFaultFragment[] }>(payload: T | null | undefined) => {
    if (payload == null) throw new Error('no payload, and no error either');
    return { ...payload, codes: payload.errors.map((error) => error.code) };
  };
  return {
    token,
    add: async (...lines) => coded((await client.data(BuyerAdds, { lines })).cartLinesAdd),
    update: async (...lines) => coded((await client.data(BuyerUpdates, { lines })).cartLinesUpdate),
    remove: async (...ids) => coded((await client.data(BuyerRemoves, { ids })).cartLinesRemove),
    reclaim: async (cartId) => coded((await client.data(BuyerReclaims, { cartId })).cartReclaim),
    checkout: async (idempotencyKey, input = {}) =>
      coded(
        (await client.data(BuyerChecksOut, { input: { idempotencyKey, email: 'buyer@example.com', ...input } }))
          .checkout,
      ),
    cart: async () => (await client.data(BuyerLooks)).cart ?? null,
  };
}

/** A new guest, with an empty cart. */
export async function newBuyer(shop: TestShop): Promise<Buyer> {
  const { cartCreate } = await shop.client().data(BuyerCreates);
  const token = cartCreate?.cart?.token;
  if (token == null) throw new Error(`no token: ${JSON.stringify(cartCreate)}`);
  return buyerOf(shop, token);
}

/** A new guest who has had no cart yet. */
export async function newStranger(shop: TestShop): Promise<Buyer> {
  const { token } = await shop.db.transaction((tx) => shop.app.services.guests.create(tx));
  return buyerOf(shop, token);
}

/** Does something for each, at most so many at a time; the results in order. */
export async function inCrowd<T, R>(items: readonly T[], size: number, work: (item: T, index: number) => Promise<R>) {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(size, items.length) }, worker));
  return results;
}

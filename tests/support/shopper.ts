import { graphql } from '../generated/gql/index.ts';
import type { CartLineInput, CheckoutInput, ShopperCartFragment } from '../generated/gql/graphql.ts';
import type { Client } from './client.ts';
import { known } from './known.ts';
import type { TestShop } from './shop.ts';

graphql(`
  fragment ShopperCart on Cart {
    id
    token
    status
    version
    email
    expiresAt
    totalQuantity
    subtotal {
      amount
      currencyCode
    }
    total {
      amount
      currencyCode
    }
    lines {
      id
      quantity
      unitPrice {
        amount
      }
      total {
        amount
      }
      variant {
        id
        sku
      }
    }
  }
`);

graphql(`
  fragment ShopperError on UserError {
    __typename
    code
    message
    path
    ... on InsufficientStockError {
      requested
      available
      variant {
        sku
      }
    }
    ... on LimitExceededError {
      limit
      requested
      ofVariant: variant {
        sku
      }
    }
    ... on TotalChangedError {
      expected {
        amount
        currencyCode
      }
      actual {
        amount
        currencyCode
      }
    }
  }
`);

graphql(`
  fragment ShopperOrder on Order {
    id
    number
    status
    paymentStatus
    email
    accessToken
    shippingAddress {
      name
      line1
      line2
      city
      region
      postalCode
      countryCode
    }
    lines {
      id
      title
      sku
      quantity
      unitPrice {
        amount
        currencyCode
      }
      total {
        amount
        currencyCode
      }
    }
    totalQuantity
    subtotal {
      amount
      currencyCode
    }
    total {
      amount
      currencyCode
    }
    placedAt
    updatedAt
    history {
      from
      to
      note
      occurredAt
    }
  }
`);

/** What a shopper can say, as typed documents. */
export const shopperDocuments = {
  cart: graphql(`
    query ShopperReadCart {
      cart {
        ...ShopperCart
      }
    }
  `),
  create: graphql(`
    mutation ShopperCreate {
      cartCreate {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  add: graphql(`
    mutation ShopperAdd($input: CartLinesAddInput!) {
      cartLinesAdd(input: $input) {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  update: graphql(`
    mutation ShopperUpdate($input: CartLinesUpdateInput!) {
      cartLinesUpdate(input: $input) {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  remove: graphql(`
    mutation ShopperRemove($input: CartLinesRemoveInput!) {
      cartLinesRemove(input: $input) {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  reclaim: graphql(`
    mutation ShopperReclaim($input: CartReclaimInput!) {
      cartReclaim(input: $input) {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  setEmail: graphql(`
    mutation ShopperSetEmail($input: CartEmailSetInput!) {
      cartEmailSet(input: $input) {
        cart {
          ...ShopperCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  checkout: graphql(`
    mutation ShopperCheckout($input: CheckoutInput!) {
      checkout(input: $input) {
        order {
          ...ShopperOrder
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
};

const documents = shopperDocuments;

/** One caller and what can be done as such; each call gives the payload, errors and all. */
export function shopperOf(client: Client) {
  return {
    client,
    cart: async () => (await client.data(documents.cart)).cart,
    create: async () => known((await client.data(documents.create)).cartCreate),
    add: async (...lines: CartLineInput[]) =>
      known((await client.data(documents.add, { input: { lines } })).cartLinesAdd),
    update: async (...lines: { id: string; quantity: number }[]) =>
      known((await client.data(documents.update, { input: { lines } })).cartLinesUpdate),
    remove: async (...ids: string[]) =>
      known((await client.data(documents.remove, { input: { ids } })).cartLinesRemove),
    reclaim: async (cartId: string) => known((await client.data(documents.reclaim, { input: { cartId } })).cartReclaim),
    setEmail: async (email: string) =>
      known((await client.data(documents.setEmail, { input: { email } })).cartEmailSet),
    checkout: async (input: CheckoutInput) => known((await client.data(documents.checkout, { input })).checkout),
  };
}

export type Shopper = ReturnType<typeof shopperOf>;

/** A guest with an empty cart, who names itself by the header. */
export async function enter(shop: Pick<TestShop, 'client'>): Promise<Shopper & { token: string }> {
  const client = shop.client();
  const shopper = shopperOf(client);
  const { cart } = await shopper.create();
  const token = known(cart?.token, 'the token of a new guest');
  client.use(token);
  return { ...shopper, token };
}

/** The lines of a cart in short: SKU, units, price. */
export function linesOf(cart: ShopperCartFragment | null | undefined): [string, number, string][] {
  return known(cart, 'the cart').lines.map((line) => [line.variant.sku, line.quantity, line.unitPrice.amount]);
}

/** The row's own id that a global ID names. */
export function rowId(globalId: string): string {
  return known(Buffer.from(globalId, 'base64').toString().split(':')[1]);
}

import { graphql } from '../generated/gql/index.ts';
import type { AddressInput, CheckoutInput } from '../generated/gql/graphql.ts';
import { makeVariant, type World } from './fixtures.ts';
import { known } from './known.ts';
import type { TestShop } from './shop.ts';
import { enter, type Shopper } from './shopper.ts';

graphql(`
  fragment PricedCart on Cart {
    id
    version
    subtotal {
      amount
    }
    discountCodes {
      code
      status
      message
    }
    discounts {
      title
      code
      amount {
        amount
      }
    }
    discountTotal {
      amount
    }
    requiresShipping
    shippingAddress {
      countryCode
    }
    shippingMethods {
      method {
        id
        title
      }
      price {
        amount
      }
    }
    shippingMethod {
      method {
        id
      }
    }
    shippingDiscounts {
      title
      amount {
        amount
      }
    }
    shippingTotal {
      amount
    }
    freeShippingRemaining {
      amount
    }
    taxes {
      title
      rate
      amount {
        amount
      }
    }
    taxTotal {
      amount
    }
    pricesIncludeTax
    total {
      amount
    }
    quoteHash
    lines {
      id
      total {
        amount
      }
      discounts {
        title
        code
        amount {
          amount
        }
      }
      discountTotal {
        amount
      }
      taxTotal {
        amount
      }
      discountedTotal {
        amount
      }
    }
  }
`);

graphql(`
  fragment PricedOrder on Order {
    id
    status
    subtotal {
      amount
    }
    discountCodes
    discounts {
      title
      code
      amount {
        amount
      }
    }
    discountTotal {
      amount
    }
    shippingMethodTitle
    shippingDiscounts {
      title
      amount {
        amount
      }
    }
    shippingTotal {
      amount
    }
    taxes {
      title
      rate
      amount {
        amount
      }
    }
    taxTotal {
      amount
    }
    pricesIncludeTax
    total {
      amount
    }
    lines {
      total {
        amount
      }
      discountTotal {
        amount
      }
      taxTotal {
        amount
      }
      discountedTotal {
        amount
      }
    }
  }
`);

export const pricedDocuments = {
  cart: graphql(`
    query PricedCartRead {
      cart {
        ...PricedCart
      }
    }
  `),
  codes: graphql(`
    mutation PricedCodesSet($codes: [String!]!) {
      cartDiscountCodesSet(input: { codes: $codes }) {
        cart {
          ...PricedCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  address: graphql(`
    mutation PricedAddressSet($address: AddressInput) {
      cartShippingAddressSet(input: { address: $address }) {
        cart {
          ...PricedCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  method: graphql(`
    mutation PricedMethodSet($methodId: ID) {
      cartShippingMethodSet(input: { methodId: $methodId }) {
        cart {
          ...PricedCart
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  checkout: graphql(`
    mutation PricedCheckout($input: CheckoutInput!) {
      checkout(input: $input) {
        order {
          ...PricedOrder
        }
        errors {
          ...ShopperError
          ... on TotalChangedError {
            subtotal {
              amount
            }
            discounts {
              title
            }
            discountCodes {
              code
              status
            }
            shippingTotal {
              amount
            }
            taxTotal {
              amount
            }
          }
        }
      }
    }
  `),
  cancel: graphql(`
    mutation PricedCancel($id: ID!) {
      orderCancel(input: { id: $id }) {
        order {
          status
        }
        errors {
          code
        }
      }
    }
  `),
  order: graphql(`
    query PricedOrderRead($id: ID!) {
      order(id: $id) {
        ...PricedOrder
      }
    }
  `),
};

/** An address that is right for its country. */
export function addressIn(countryCode: 'DE' | 'US' | 'JP'): AddressInput {
  const of = {
    DE: { city: 'Berlin', region: null, postalCode: '10115' },
    US: { city: 'Los Angeles', region: 'CA', postalCode: '90001' },
    JP: { city: 'Chiyoda', region: 'Tokyo', postalCode: '100-0001' },
  };
  return { name: 'Ada Baker', line1: '1 Hive Lane', countryCode, ...of[countryCode] };
}

let keys = 0;

/** What a shopper does about prices; each call gives the payload, errors and all. */
export function pricesOf({ client }: Pick<Shopper, 'client'>) {
  return {
    cart: async () => known((await client.data(pricedDocuments.cart)).cart, 'the cart'),
    setCodes: async (...codes: string[]) =>
      known((await client.data(pricedDocuments.codes, { codes })).cartDiscountCodesSet),
    setAddress: async (address: AddressInput | null) =>
      known((await client.data(pricedDocuments.address, { address })).cartShippingAddressSet),
    setMethod: async (methodId: string | null) =>
      known((await client.data(pricedDocuments.method, { methodId })).cartShippingMethodSet),
    async buy(input: Partial<CheckoutInput> = {}) {
      keys += 1;
      const whole = { idempotencyKey: `priced-${keys}`, email: 'buyer@example.com', ...input };
      return known((await client.data(pricedDocuments.checkout, { input: whole })).checkout);
    },
  };
}

/** A guest with units of variants in the cart: one variant for each price. */
export async function pricedShopper(
  shop: TestShop & World,
  { price = 1000, quantity = 2, prices = [price] }: { price?: number; quantity?: number; prices?: number[] } = {},
) {
  const variants = await Promise.all(prices.map((each) => makeVariant(shop, { price: each, onHand: 99 })));
  const shopper = await enter(shop);
  const { cart } = await shopper.add(...variants.map(({ sku }) => ({ sku, quantity })));
  return { ...shopper, ...pricesOf(shopper), variants, variant: known(variants[0]), lines: known(cart).lines };
}

import { graphql } from '../../shared/graphql.ts';
import '../../shared/prices.ts';

graphql(`
  fragment CartPrices on Cart {
    id
    quoteHash
    subtotal {
      amount
      currencyCode
    }
    discountCodes {
      code
      status
      message
    }
    discounts {
      ...Discount
    }
    shippingDiscounts {
      ...Discount
    }
    requiresShipping
    shippingAddress {
      name
      line1
      line2
      city
      region
      postalCode
      countryCode
    }
    shippingMethods {
      method {
        id
        title
        description
        deliveryEstimate
      }
      price {
        amount
        currencyCode
      }
    }
    shippingMethod {
      method {
        id
        title
      }
      price {
        amount
        currencyCode
      }
    }
    shippingTotal {
      amount
      currencyCode
    }
    freeShippingRemaining {
      amount
      currencyCode
    }
    taxes {
      ...Tax
    }
    pricesIncludeTax
  }
`);

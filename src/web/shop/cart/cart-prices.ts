import { graphql } from '../../shared/graphql.ts';

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
      title
      code
      amount {
        amount
        currencyCode
      }
    }
    shippingDiscounts {
      title
      code
      amount {
        amount
        currencyCode
      }
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
      title
      rate
      amount {
        amount
        currencyCode
      }
    }
    pricesIncludeTax
  }
`);

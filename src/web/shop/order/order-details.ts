import { graphql } from '../../shared/graphql.ts';
import '../components/picture.tsx';
import './refunds.tsx';

/* What pages of orders read. Fragments must be there before the documents that spread them. */

graphql(`
  fragment OrderDetails on Order {
    id
    number
    status
    paymentStatus
    placedAt
    email
    total {
      amount
      currencyCode
    }
    subtotal {
      amount
      currencyCode
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
    shippingMethodTitle
    shippingTotal {
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
    shippingAddress {
      formatted
      countryCode
    }
    lines {
      id
      title
      sku
      quantity
      total {
        amount
        currencyCode
      }
      variant {
        id
        product {
          id
          slug
          images {
            ...Picture
          }
        }
      }
    }
    history {
      to
      occurredAt
    }
    ...OrderRefunds
  }
`);

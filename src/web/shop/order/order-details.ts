import { graphql } from '../../shared/graphql.ts';
import '../components/picture.tsx';
import './refunds.tsx';
import '../../shared/prices.ts';

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
      ...Discount
    }
    shippingDiscounts {
      ...Discount
    }
    shippingMethodTitle
    shippingTotal {
      amount
      currencyCode
    }
    taxes {
      ...Tax
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

import { graphql } from './graphql.ts';

/* What the prices of carts, orders and previews are made of. */

graphql(`
  fragment Discount on AppliedDiscount {
    title
    code
    amount {
      amount
      currencyCode
    }
  }
`);

graphql(`
  fragment Tax on TaxLine {
    title
    rate
    amount {
      amount
      currencyCode
    }
  }
`);

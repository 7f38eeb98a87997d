import { graphql } from '../../shared/graphql.ts';

/* Fragments must be there before the documents that spread them. */

graphql(`
  fragment StaffPayment on Payment {
    id
    provider
    state
    reference
    problem
    failure
    lapsesAt
    createdAt
    authorized {
      amount
      currencyCode
    }
    captured {
      amount
      currencyCode
    }
    refunded {
      amount
      currencyCode
    }
    operations {
      kind
      state
      reason
    }
    disputes {
      state
      reason
      amount {
        amount
        currencyCode
      }
    }
  }
`);

graphql(`
  fragment StaffRefundable on Order {
    id
    status
    lines {
      id
      title
      quantity
    }
    shippingTotal {
      amount
      currencyCode
    }
  }
`);

graphql(`
  fragment StaffOrderPayments on Order {
    id
    paymentStatus
    moneyEntries {
      postingId
      reason
      account
      amount
      occurredAt
    }
    payments {
      ...StaffPayment
    }
    refunds {
      id
      state
      reason
      failure
      createdAt
      amount {
        amount
        currencyCode
      }
    }
    ...StaffRefundable
  }
`);

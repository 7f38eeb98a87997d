import { graphql } from '../generated/gql/index.ts';
import type {
  OrderRefundInput,
  PaymentCaptureInput,
  PaymentStartInput,
  PayerPaymentFragment,
} from '../generated/gql/graphql.ts';
import type { Client } from './client.ts';
import { known } from './known.ts';

graphql(`
  fragment PayerPayment on Payment {
    id
    provider
    state
    amount {
      amount
    }
    authorized {
      amount
    }
    captured {
      amount
    }
    refunded {
      amount
    }
    deadline
    failure
    clientData {
      redirectUrl
    }
    order {
      ...PayerOrder
    }
  }
`);

graphql(`
  fragment PayerOrder on Order {
    id
    number
    status
    paymentStatus
    total {
      amount
    }
    lines {
      id
      quantity
      variant {
        id
      }
    }
    payments {
      id
      state
    }
    refunds {
      id
      state
      amount {
        amount
      }
      reason
    }
  }
`);

export const paymentDocuments = {
  start: graphql(`
    mutation PayerStart($input: PaymentStartInput!) {
      paymentStart(input: $input) {
        payment {
          ...PayerPayment
        }
        order {
          ...PayerOrder
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  sync: graphql(`
    mutation PayerSync($id: ID!) {
      paymentSync(input: { id: $id }) {
        payment {
          ...PayerPayment
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  cancel: graphql(`
    mutation PayerCancel($id: ID!) {
      paymentCancel(input: { id: $id }) {
        payment {
          ...PayerPayment
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  capture: graphql(`
    mutation PayerCapture($input: PaymentCaptureInput!) {
      paymentCapture(input: $input) {
        payment {
          ...PayerPayment
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  refund: graphql(`
    mutation PayerRefund($input: OrderRefundInput!) {
      orderRefund(input: $input) {
        refund {
          id
          state
          amount {
            amount
          }
        }
        order {
          ...PayerOrder
        }
        errors {
          ...ShopperError
        }
      }
    }
  `),
  payment: graphql(`
    query PayerReads($id: ID!) {
      payment(id: $id) {
        ...PayerPayment
      }
    }
  `),
  staff: graphql(`
    query PayerStaffReads($id: ID!) {
      payment(id: $id) {
        ...PayerPayment
        problem
        reference
        operations {
          kind
          state
          reason
        }
        disputes {
          state
          amount {
            amount
          }
        }
      }
    }
  `),
  cart: graphql(`
    query PayerCart {
      cart {
        id
        status
        expiresAt
        payment {
          id
          state
        }
      }
    }
  `),
  audit: graphql(`
    query PayerAudit {
      moneyAudit {
        checkedOrders
        discrepancies {
          rule
          expected
          actual
          order {
            id
          }
        }
      }
    }
  `),
};

export type PayerPayment = PayerPaymentFragment;

/** Starts to pay for the caller's cart; fails the test where it is refused. */
export async function startPayment(client: Client, input: Partial<PaymentStartInput> = {}): Promise<PayerPayment> {
  const { paymentStart } = await client.data(paymentDocuments.start, {
    input: { provider: 'test', idempotencyKey: crypto.randomUUID(), ...input },
  });
  const { payment, errors } = known(paymentStart);
  if (errors.length > 0) throw new Error(`paymentStart: ${JSON.stringify(errors)}`);
  return known(payment);
}

/** Asks the provider, and gives the payment after it. */
export async function syncPayment(client: Client, id: string): Promise<PayerPayment> {
  const { paymentSync } = await client.data(paymentDocuments.sync, { id });
  return known(known(paymentSync).payment);
}

export type { OrderRefundInput, PaymentCaptureInput };

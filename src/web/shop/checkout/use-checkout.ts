import { useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import type { ShopFaultFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';
import '../components/fault.ts';
import { beginAttempt, endAttempt, noteRefusal, readAttempt, type Sent } from './attempt.ts';
import { noteOpenPayment } from './open-payment.ts';

const CHECKOUT = graphql(`
  mutation ShopCheckout($input: CheckoutInput!) {
    checkout(input: $input) {
      order {
        id
        number
        accessToken
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const START = graphql(`
  mutation ShopPaymentStart($input: PaymentStartInput!) {
    paymentStart(input: $input) {
      payment {
        id
        clientData {
          redirectUrl
        }
      }
      order {
        id
        number
        accessToken
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

export type CheckoutState =
  | { kind: 'idle' }
  | { kind: 'sending' }
  /** No answer came: whether there is an order is not known, and the same is sent again. */
  | { kind: 'unknown' }
  | { kind: 'refused'; errors: readonly ShopFaultFragment[]; message: string | null }
  | { kind: 'placed'; accessToken: string | null; number: string }
  /** The shopper pays now: on another page, or on the shop's own where the address is null. */
  | { kind: 'paying'; redirectUrl: string | null };

const WAITS_MS = [500, 1500, 3000, 5000, 10_000];

/** Places an order, once. An attempt that the page before did not see the end of is taken up again. */
export function useCheckout() {
  const client = useClient();
  const [state, setState] = useState<CheckoutState>({ kind: 'idle' });
  const busy = useRef(false);

  async function ask({ provider = null, ...input }: Sent) {
    if (provider === null) {
      const { data, error } = await client.mutation(CHECKOUT, { input }).toPromise();
      return { payload: data?.checkout, payment: null, error };
    }
    const returnUrl = `${location.origin}/pay`;
    const { data, error } = await client.mutation(START, { input: { ...input, provider, returnUrl } }).toPromise();
    return { payload: data?.paymentStart, payment: data?.paymentStart?.payment, error };
  }

  async function send(sent: Sent): Promise<void> {
    // Before React has drawn: a second click comes sooner.
    if (busy.current) return;
    busy.current = true;
    setState({ kind: 'sending' });
    try {
      for (const wait of [...WAITS_MS, null]) {
        const { payload, payment, error } = await ask(sent);
        if (payment != null) {
          // Another try is another payment.
          endAttempt();
          noteOpenPayment(payment.id);
          return setState({ kind: 'paying', redirectUrl: payment.clientData?.redirectUrl ?? null });
        }
        if (payload?.order != null) {
          endAttempt();
          const { accessToken, number } = payload.order;
          return setState({ kind: 'placed', accessToken, number });
        }
        if (payload != null) {
          noteRefusal();
          return setState({ kind: 'refused', errors: payload.errors, message: null });
        }
        const refusal = error?.graphQLErrors.find(({ extensions }) => extensions['code'] !== 'UNAVAILABLE');
        if (refusal !== undefined) {
          noteRefusal();
          return setState({ kind: 'refused', errors: [], message: refusal.message });
        }
        setState({ kind: 'unknown' });
        if (wait !== null) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    } finally {
      busy.current = false;
    }
  }

  const resume = useRef(send);
  resume.current = send;
  useEffect(() => {
    const sent = readAttempt()?.sent;
    if (sent != null) void resume.current(sent);
  }, []);

  return {
    state,
    place: (cartId: string, input: Omit<Sent, 'idempotencyKey'>) => send(beginAttempt(cartId, input)),
    again() {
      const sent = readAttempt()?.sent;
      if (sent != null) void send(sent);
    },
  };
}

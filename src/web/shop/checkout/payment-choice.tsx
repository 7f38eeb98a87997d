import { useState } from 'react';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';

const PROVIDERS = graphql(`
  query ShopPaymentProviders {
    paymentProviders {
      id
      title
    }
  }
`);

/** The way to pay that the shopper has chosen: at first, the one that the shop offers first. */
export function usePaymentChoice() {
  const [{ data }] = usePage(PROVIDERS, {});
  const [wanted, choose] = useState<string | null>(null);
  const providers = data?.paymentProviders ?? [];
  const chosen = providers.find(({ id }) => id === wanted) ?? providers[0] ?? null;
  return { providers, chosen: chosen?.id ?? null, choose };
}

const HINTS: Readonly<Record<string, string>> = {
  manual: 'You order now and pay later, for example by bank transfer.',
  test: 'A page on which you can try payments. No money moves.',
};

/** The ways to pay, where there is a choice. */
export function PaymentChoice({ providers, chosen, choose }: ReturnType<typeof usePaymentChoice>) {
  if (providers.length < 2) return null;
  return (
    <fieldset className="shipping-methods">
      <legend>Payment</legend>
      {providers.map(({ id, title }) => (
        <label key={id}>
          <input type="radio" name="payment-provider" value={id} checked={id === chosen} onChange={() => choose(id)} />
          <span>
            {title}
            {HINTS[id] !== undefined && <span className="quiet small">{HINTS[id]}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

import { useState } from 'react';
import type { CartPricesFragment } from '../../generated/graphql.ts';
import { formatMoney } from '../../shared/format.ts';
import '../cart/totals.css';

/** The ways in which a cart can be shipped, with what each costs at present. */
export function ShippingMethods({
  cart,
  onChoose,
}: {
  cart: CartPricesFragment;
  onChoose: (methodId: string) => Promise<void>;
}) {
  // Shown as chosen until the shop has answered: a button that springs back looks broken.
  const [wanted, setWanted] = useState<string | null>(null);
  const choose = async (methodId: string) => {
    setWanted(methodId);
    await onChoose(methodId);
    setWanted(null);
  };
  if (!cart.requiresShipping) return null;
  if (cart.shippingMethods.length === 0) {
    return (
      <p className="quiet">
        {cart.shippingAddress == null
          ? 'Fill in the address to see how it can be shipped.'
          : 'The shop does not ship to this address.'}
      </p>
    );
  }
  return (
    <fieldset className="shipping-methods">
      <legend>Shipping</legend>
      {cart.shippingMethods.map(({ method, price }) => (
        <label key={method.id}>
          <input
            type="radio"
            name="shipping-method"
            value={method.id}
            checked={(wanted ?? cart.shippingMethod?.method.id) === method.id}
            onChange={() => void choose(method.id)}
          />
          <span>
            {method.title}
            {method.deliveryEstimate != null && <span className="small">{method.deliveryEstimate}</span>}
            {method.description != null && <span className="quiet small">{method.description}</span>}
          </span>
          <span className="number">{formatMoney(price)}</span>
        </label>
      ))}
    </fieldset>
  );
}

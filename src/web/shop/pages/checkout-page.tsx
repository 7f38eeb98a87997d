import { useEffect, useState, type FormEvent } from 'react';
import { Link, useLocation } from 'wouter';
import type { AddressInput } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { useViewer } from '../cart/cart-context.ts';
import { CartContents } from '../cart/cart-contents.tsx';
import { CartLines } from '../cart/cart-lines.tsx';
import { isExpired } from '../cart/cart-state.ts';
import { Countdown } from '../cart/countdown.tsx';
import { AddressFields } from '../checkout/address-fields.tsx';
import { likelyCountry } from '../checkout/countries.ts';
import { useCheckout, type CheckoutState } from '../checkout/use-checkout.ts';
import { faultInWords, faultOf } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';
import './checkout-page.css';

const EMPTY: AddressInput = {
  name: '',
  line1: '',
  line2: '',
  postalCode: '',
  city: '',
  region: '',
  countryCode: likelyCountry,
};

/** Everything that it takes to buy, on one page. */
export default function CheckoutPage() {
  const { cart, me, loading } = useViewer();
  const { state, place, again } = useCheckout();
  const [email, setEmail] = useState<string | null>(null);
  const [address, setAddress] = useState(EMPTY);
  const [, navigate] = useLocation();
  useEffect(() => {
    if (state.kind !== 'placed') return;
    const { accessToken, number } = state;
    navigate(accessToken === null ? `/account/orders/${number}` : `/order?token=${encodeURIComponent(accessToken)}`, {
      replace: true,
    });
  }, [state, navigate]);

  const sending = state.kind === 'sending' || state.kind === 'placed' || state.kind === 'unknown';
  if (loading) return <Page title="Checkout">{null}</Page>;
  if (cart === null || cart.lines.length === 0 || cart.status === 'CHECKED_OUT' || isExpired(cart)) {
    return (
      <Page title="Checkout" width="narrow">
        <h1>Checkout</h1>
        {sending ? <Waiting state={state} onAgain={again} /> : <CartContents cart={cart} />}
      </Page>
    );
  }

  const errors = state.kind === 'refused' ? state.errors : [];
  const filledEmail = email ?? me?.email ?? cart.email ?? '';
  function submit(event: FormEvent) {
    event.preventDefault();
    if (cart === null || sending) return;
    const { line2, region, ...others } = address;
    void place(cart.id, {
      email: filledEmail,
      expectedTotal: cart.total.amount,
      shippingAddress: {
        ...others,
        ...(line2 == null || line2 === '' ? {} : { line2 }),
        ...(region == null || region === '' ? {} : { region }),
      },
    });
  }
  return (
    <Page title="Checkout">
      <form className="checkout" onSubmit={submit} noValidate>
        <div className="checkout-fields">
          <h1>Checkout</h1>
          <section className="stack" aria-labelledby="checkout-contact">
            <h2 id="checkout-contact">Contact</h2>
            {me === null && (
              <p className="quiet">
                Have an account? <Link href="/log-in?to=/checkout">Log in</Link>: the cart comes along.
              </p>
            )}
            <Field
              label="E-mail"
              type="email"
              name="email"
              autoComplete="email"
              required
              hint="The confirmation goes there."
              value={filledEmail}
              fault={faultOf(errors, 'email')}
              onChange={({ target }) => setEmail(target.value)}
            />
          </section>
          <section className="stack" aria-labelledby="checkout-address">
            <h2 id="checkout-address">Where it goes</h2>
            <AddressFields address={address} errors={errors} onChange={setAddress} />
          </section>
        </div>
        <aside className="checkout-summary" aria-labelledby="checkout-summary">
          <h2 id="checkout-summary">Your order</h2>
          <Countdown cart={cart} />
          <CartLines lines={cart.lines} />
          <p className="cart-total">
            <span>Total</span>
            <strong className="number">{formatMoney(cart.total)}</strong>
          </p>
          <Refusal state={state} />
          {sending && <Waiting state={state} onAgain={again} />}
          <Button type="submit" className="checkout-place" busy={sending}>
            Place order
          </Button>
        </aside>
      </form>
    </Page>
  );
}

function Refusal({ state }: { state: CheckoutState }) {
  if (state.kind !== 'refused') return null;
  // The others stand beside their fields.
  const others = state.errors.filter(({ code, path }) => code !== 'INVALID_INPUT' || path == null);
  const changed = others.some(({ code }) => code === 'TOTAL_CHANGED');
  const words = state.message ?? (others.length === 0 ? null : faultInWords(others, undefined));
  return (
    <Notice tone="bad">
      {changed ? (
        <p>The total has changed since you saw it last. Look at it once more, then place the order.</p>
      ) : (
        <p>{words ?? 'Some fields are not filled in as they should be: they are marked.'}</p>
      )}
    </Notice>
  );
}

function Waiting({ state, onAgain }: { state: CheckoutState; onAgain: () => void }) {
  if (state.kind !== 'unknown') return <Notice>Placing your order…</Notice>;
  return (
    <Notice>
      <p>The shop has not answered yet. It is asked again, and however often it is asked, you get one order.</p>
      <Button look="second" onClick={onAgain}>
        Ask now
      </Button>
    </Notice>
  );
}

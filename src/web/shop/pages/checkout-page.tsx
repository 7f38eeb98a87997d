import { useEffect, useEffectEvent, useState, type FormEvent } from 'react';
import { Link, useLocation } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { useViewer } from '../cart/cart-context.ts';
import { CartContents } from '../cart/cart-contents.tsx';
import { CartLines } from '../cart/cart-lines.tsx';
import { isExpired } from '../cart/cart-state.ts';
import { Countdown } from '../cart/countdown.tsx';
import { DiscountCodes } from '../cart/discount-codes.tsx';
import { FreeShipping, Totals } from '../cart/totals.tsx';
import { AddressFields } from '../checkout/address-fields.tsx';
import { PaymentChoice, usePaymentChoice } from '../checkout/payment-choice.tsx';
import { SavedAddresses, toInput } from '../checkout/saved-addresses.tsx';
import { ShippingMethods } from '../checkout/shipping-methods.tsx';
import { emptyAddress, useAddress } from '../checkout/use-address.ts';
import { useCheckout, type CheckoutState } from '../checkout/use-checkout.ts';
import { useShipping } from '../checkout/use-shipping.ts';
import { faultInWords, faultOf } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';
import './checkout-page.css';

/** Everything that it takes to buy, on one page. */
export default function CheckoutPage() {
  const { cart, me, loading } = useViewer();
  const { state, place, again } = useCheckout();
  const shipping = useShipping();
  const [email, setEmail] = useState<string | null>(null);
  const where = useAddress(cart, me !== null);
  const [, navigate] = useLocation();
  const payment = usePaymentChoice();
  useEffect(() => {
    if (state.kind !== 'paying') return;
    if (state.redirectUrl === null) navigate('/pay', { replace: true });
    else location.assign(state.redirectUrl);
  }, [state, navigate]);
  useEffect(() => {
    if (state.kind !== 'placed') return;
    const { accessToken, number } = state;
    navigate(accessToken === null ? `/account/orders/${number}` : `/order?token=${encodeURIComponent(accessToken)}`, {
      replace: true,
    });
  }, [state, navigate]);

  // An address that was chosen or known is complete at once: nobody leaves a field.
  const keepChosen = useEffectEvent(() => {
    if (cart?.requiresShipping === true && where.complete !== null) void shipping.keepAddress(cart, where.complete);
  });
  const chosenId = where.chosen?.id;
  const isReady = where.complete !== null && cart !== null;
  useEffect(() => {
    if (chosenId !== undefined && isReady) keepChosen();
  }, [chosenId, isReady]);

  const sending = !['idle', 'refused'].includes(state.kind);
  if (loading) return <Page title="Checkout">{null}</Page>;
  if (cart === null || cart.lines.length === 0 || cart.status === 'CHECKED_OUT' || isExpired(cart)) {
    return (
      <Page title="Checkout" width="narrow">
        <h1>Checkout</h1>
        {sending ? <Waiting state={state} onAgain={again} /> : <CartContents cart={cart} />}
      </Page>
    );
  }

  if (cart.payment?.state === 'PENDING' && !sending) {
    return (
      <Page title="Checkout" width="narrow">
        <h1>Checkout</h1>
        <Notice>
          <p>You have begun to pay for this cart.</p>
          <p>
            <Link href="/pay" className="button button-primary">
              Go on paying
            </Link>
          </p>
        </Notice>
      </Page>
    );
  }

  const errors = state.kind === 'refused' ? state.errors : [];
  const given = cart;
  function keepAddress(): Promise<boolean> {
    const { complete } = where;
    return given.requiresShipping && complete !== null ? shipping.keepAddress(given, complete) : Promise.resolve(false);
  }
  const filledEmail = email ?? me?.email ?? cart.email ?? '';
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (sending || shipping.busy) return;
    // Shipping and tax may cost something else now: the total is shown before anything is bought.
    if (await keepAddress()) return;
    await where.keep();
    const provider = payment.chosen === 'manual' ? null : payment.chosen;
    const agreed = { email: filledEmail, expectedTotal: given.total.amount, shippingAddress: where.input };
    await place(given.id, { ...agreed, provider });
  }
  return (
    <Page title="Checkout">
      <div className="checkout">
        <form id="checkout" className="checkout-fields" onSubmit={(event) => void submit(event)} noValidate>
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
          <section
            className="stack"
            aria-labelledby="checkout-address"
            onBlur={({ currentTarget, relatedTarget }) => {
              if (!currentTarget.contains(relatedTarget)) void keepAddress();
            }}
          >
            <h2 id="checkout-address">Where it goes</h2>
            {where.saved.length > 0 && (
              <SavedAddresses
                addresses={where.saved}
                chosen={where.chosen?.id ?? null}
                onChoose={(entry) =>
                  where.set(entry === null ? emptyAddress(where.address.countryCode) : toInput(entry.address))
                }
              />
            )}
            <AddressFields
              address={where.address}
              format={where.format}
              errors={[...errors, ...shipping.errors]}
              onChange={where.set}
            />
            {me !== null && where.chosen === null && (
              <label className="choice">
                <input
                  type="checkbox"
                  checked={where.isToBeSaved}
                  onChange={({ target }) => where.setToBeSaved(target.checked)}
                />
                Save this address for my next orders
              </label>
            )}
            <ShippingMethods cart={cart} onChoose={shipping.choose} />
          </section>
          <PaymentChoice {...payment} />
        </form>
        <aside className="checkout-summary" aria-labelledby="checkout-summary">
          <h2 id="checkout-summary">Your order</h2>
          <Countdown cart={cart} />
          <CartLines lines={cart.lines} />
          <DiscountCodes codes={cart.discountCodes} />
          <Totals of={cart} />
          <FreeShipping remaining={cart.freeShippingRemaining} />
          <Refusal state={state} />
          {sending && <Waiting state={state} onAgain={again} />}
          <Button type="submit" form="checkout" className="checkout-place" busy={sending || shipping.busy}>
            {payment.chosen === null || payment.chosen === 'manual' || Number(cart.total.amount) === 0
              ? 'Place order'
              : `Pay ${formatMoney(cart.total)}`}
          </Button>
        </aside>
      </div>
    </Page>
  );
}

/** Codes of messages that stand beside their fields. */
const AT_FIELDS: ReadonlySet<string> = new Set(['INVALID_INPUT', 'ADDRESS_INVALID']);

function Refusal({ state }: { state: CheckoutState }) {
  if (state.kind !== 'refused') return null;
  const others = state.errors.filter(({ code, path }) => path == null || !AT_FIELDS.has(code));
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

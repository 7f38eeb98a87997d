import type { Stripe, StripeElements, StripePaymentElement } from '@stripe/stripe-js';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';

const AWAY = 'The payment form could not be loaded. Check your connection and reload the page.';
const FAILED = 'The payment could not be sent. Try again.';

export interface PaymentElementProps {
  /** What `clientData` of the payment says. */
  publishableKey: string;
  clientSecret: string;
  /** Full URL to which Stripe sends the shopper back after a step on another page. */
  returnUrl: string;
  /** Called when Stripe has taken the payment. Whether it is authorized is for the shop to find out. */
  onSubmitted: () => void;
}

interface Parts {
  stripe: Stripe;
  elements: StripeElements;
}

/**
 * Stripe's form for cards and other methods. Card numbers go to Stripe alone. Stripe's script is loaded when this is first shown, so
 * shops without Stripe load nothing from there.
 */
export default function PaymentElement({ publishableKey, clientSecret, returnUrl, onSubmitted }: PaymentElementProps) {
  const box = useRef<HTMLDivElement>(null);
  const parts = useRef<Parts | null>(null);
  const [state, setState] = useState<'loading' | 'ready' | 'sending' | 'away'>('loading');
  const [fault, setFault] = useState<string | null>(null);

  useEffect(() => {
    let isGone = false;
    let element: StripePaymentElement | undefined;
    async function show(): Promise<void> {
      // The usual entry of the package would load Stripe's script as soon as it is imported. TypeScript does not find the package's
      // `pure` by its short name.
      const { loadStripe } = await import('@stripe/stripe-js/dist/pure.mjs');
      const stripe = await loadStripe(publishableKey);
      if (stripe === null) throw new Error('there is no window');
      if (isGone || box.current === null) return;
      const elements = stripe.elements({ clientSecret });
      const created = elements.create('payment');
      element = created;
      created.on('ready', () => setState('ready'));
      created.on('loaderror', () => setState('away'));
      created.mount(box.current);
      parts.current = { stripe, elements };
    }
    show().catch(() => {
      if (!isGone) setState('away');
    });
    return () => {
      isGone = true;
      parts.current = null;
      element?.destroy();
    };
  }, [publishableKey, clientSecret]);

  async function pay(): Promise<void> {
    if (parts.current === null || state !== 'ready') return;
    const { stripe, elements } = parts.current;
    setState('sending');
    setFault(null);
    try {
      const confirmParams = { return_url: returnUrl };
      // Without the option every method would lead away from the page, also those that need no other page.
      const { error } = await stripe.confirmPayment({ elements, confirmParams, redirect: 'if_required' });
      if (error === undefined) {
        onSubmitted();
        return;
      }
      setFault(error.message ?? FAILED);
    } catch {
      setFault(FAILED);
    }
    setState('ready');
  }

  return (
    <div className="stack">
      {state === 'away' && <Notice tone="bad">{AWAY}</Notice>}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <div ref={box} aria-busy={state === 'loading'} />
      {state !== 'away' && (
        <Button busy={state === 'sending'} disabled={state === 'loading'} onClick={() => void pay()}>
          Pay
        </Button>
      )}
    </div>
  );
}

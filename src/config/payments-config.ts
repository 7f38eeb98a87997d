import type { Env } from './env.ts';

/** The names of payment providers. `manual` is payment outside of the shop: invoice, cash, bank transfer. */
export type PaymentProviderName = 'manual' | 'test' | 'stripe';

/** How the shop takes money. */
export interface PaymentsConfig {
  /** Providers that are offered, in this order. Open payments of others are carried on. */
  providers: readonly PaymentProviderName[];
  /** Whether an authorization is captured when the order is placed, or by staff. */
  capture: 'automatic' | 'manual';
  /** Seconds that a shopper has to pay. */
  withinSeconds: number;
  /** Days after which an unpaid order is cancelled; null: never. */
  unpaidOrdersExpireDays: number | null;
  /** Null: there is no key. */
  stripe: StripeConfig | null;
}

export interface StripeConfig {
  secretKey: string;
  /** Null: webhooks are rejected. */
  webhookSecret: string | null;
  /** Null: no Payment Element is shown. */
  publishableKey: string | null;
  /** Origin of Stripe's API; null: Stripe's own. */
  apiUrl: string | null;
}

/** The settings of payments. */
export function paymentsOf(env: Env, { demo }: { demo: boolean }): PaymentsConfig {
  const { STRIPE_SECRET_KEY: secretKey } = env;
  const stripe =
    secretKey === undefined
      ? null
      : {
          secretKey,
          webhookSecret: env.STRIPE_WEBHOOK_SECRET ?? null,
          publishableKey: env.STRIPE_PUBLISHABLE_KEY ?? null,
          apiUrl: env.STRIPE_API_URL ?? null,
        };
  const usual = [
    ...(stripe === null ? [] : ['stripe' as const]),
    ...(demo ? ['test' as const] : []),
    'manual' as const,
  ];
  return {
    providers: env.PAYMENT_PROVIDERS ?? usual,
    capture: env.PAYMENT_CAPTURE ?? 'automatic',
    withinSeconds: env.PAYMENT_WITHIN_SECONDS ?? 600,
    unpaidOrdersExpireDays: env.UNPAID_ORDERS_EXPIRE_DAYS ?? null,
    stripe,
  };
}

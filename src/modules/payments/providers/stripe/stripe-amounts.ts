import { currencyDigits } from '../../../../config/currencies.ts';
import { Refused, Unknown } from '../provider.types.ts';

/*
 * Amounts as Stripe writes them: https://docs.stripe.com/currencies. Most are minor units by ISO 4217, as the shop's are. Where
 * Stripe's own rules differ, an amount that cannot be written is refused, never rounded.
 */

/** Currencies without decimals at Stripe, by whatever ISO 4217 says. */
const ZERO_DECIMAL = new Set([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'],
]);
/** Currencies without decimals that Stripe writes with two all the same, which must be zeros. */
const TWO_ZEROS = new Set(['ISK', 'UGX']);
/** Their last digit must be a zero. */
const THREE_DECIMAL = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND']);

/** The smallest charges, in Stripe's units, of the currencies in which accounts can be paid out. */
const LEAST: Readonly<Record<string, bigint>> = {
  ...{ AED: 200n, AUD: 50n, BGN: 100n, BRL: 50n, CAD: 50n, CHF: 50n, CZK: 1500n, DKK: 250n, EUR: 50n, GBP: 30n },
  ...{ HKD: 400n, HUF: 17500n, INR: 50n, JPY: 50n, MXN: 1000n, MYR: 200n, NOK: 300n, NZD: 50n, PLN: 200n },
  ...{ RON: 200n, SEK: 300n, SGD: 50n, THB: 1000n, USD: 50n },
};

function stripeDigits(currency: string): number {
  if (ZERO_DECIMAL.has(currency)) return 0;
  if (THREE_DECIMAL.has(currency)) return 3;
  return 2;
}

/** How many of the shop's minor units make one of Stripe's, and the reverse; one of them is 1. */
function ratioOf(currency: string): { shop: bigint; stripe: bigint } {
  const more = stripeDigits(currency) - (currencyDigits(currency) ?? 2);
  return more >= 0 ? { shop: 1n, stripe: 10n ** BigInt(more) } : { shop: 10n ** BigInt(-more), stripe: 1n };
}

/**
 * An amount of the shop as Stripe takes it.
 * @throws Refused if Stripe cannot charge exactly this amount
 */
export function toStripe(minor: bigint, currency: string): number {
  const { shop, stripe } = ratioOf(currency);
  const amount = (minor * stripe) / shop;
  const step = THREE_DECIMAL.has(currency) ? 10n : TWO_ZEROS.has(currency) ? 100n : 1n;
  if ((minor * stripe) % shop !== 0n || amount % step !== 0n) {
    throw new Refused(`Stripe cannot charge this amount of ${currency} exactly.`, 'amount_not_representable');
  }
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refused('The amount is too large.', 'amount_too_large');
  return Number(amount);
}

/**
 * An amount of Stripe in the shop's minor units.
 * @throws Unknown if it has more decimals than the currency
 */
export function fromStripe(amount: number, currency: string): bigint {
  const { shop, stripe } = ratioOf(currency);
  const units = BigInt(amount) * shop;
  if (units % stripe !== 0n) throw new Unknown(`Stripe has an amount of ${currency} with too many decimals: ${amount}`);
  return units / stripe;
}

/** The smallest amount that Stripe charges, in the shop's minor units, as far as it is known; Stripe has the last word. */
export function leastMinorOf(currency: string): bigint {
  const { shop, stripe } = ratioOf(currency);
  const least = (LEAST[currency] ?? 1n) * shop;
  return least > stripe ? least / stripe : 1n;
}

import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import type { Money } from '../money.ts';
import { toPercent } from '../percent.ts';
import { codeMessage } from './code-message.ts';
import type { QuotedCode } from './quote.types.ts';

/** A promotion at work. */
export interface AppliedDiscount {
  title: string;
  code: string | null;
  amount: Money;
}

/** What promotions took off, as the API shows it. */
export function discountsOf(
  applied: readonly { title: string; code: string | null; amountMinor: bigint }[],
  currency: string,
): AppliedDiscount[] {
  return applied.map(({ title, code, amountMinor }) => ({ title, code, amount: { minor: amountMinor, currency } }));
}

/** A promotion at work. */
export const AppliedDiscountRef = builder.objectRef<AppliedDiscount>('AppliedDiscount').implement({
  extensions: OWNED,
  description: 'A promotion that reduces a price.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false, description: 'Title of the promotion.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'Discount code that brought the promotion. Null if the promotion applies automatically.',
    }),
    amount: t.expose('amount', { type: MoneyRef, nullable: false, description: 'Amount that is taken off.' }),
  }),
});

/** The tax by one rate. */
export interface TaxLine {
  title: string;
  ratePpm: number;
  amount: Money;
}

/** Taxes, as the API shows them. */
export function taxLinesOf(
  taxes: readonly { title: string; ppm: number; amountMinor: bigint }[],
  currency: string,
): TaxLine[] {
  return taxes.map(({ title, ppm, amountMinor }) => ({
    title,
    ratePpm: ppm,
    amount: { minor: amountMinor, currency },
  }));
}

/** The tax by one rate. */
export const TaxLineRef = builder.objectRef<TaxLine>('TaxLine').implement({
  extensions: OWNED,
  description: 'Tax at one rate.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false, description: 'Name of the tax, for example `VAT`.' }),
    rate: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Rate in percent, for example `19` or `8.875`.',
      resolve: ({ ratePpm }) => toPercent(ratePpm),
    }),
    amount: t.expose('amount', { type: MoneyRef, nullable: false, description: 'Amount of tax.' }),
  }),
});

const DiscountCodeStatusRef = builder.enumType('DiscountCodeStatus', {
  description: 'Whether a discount code applies to a cart.',
  values: {
    APPLIED: { description: 'The code takes something off.' },
    NOT_APPLICABLE: { description: 'The code exists, but takes nothing off this cart. See `message`.' },
    UNKNOWN: { description: 'No promotion has this code.' },
  },
});

/** A code of a cart. */
export const CartDiscountCodeRef = builder.objectRef<QuotedCode>('CartDiscountCode').implement({
  extensions: OWNED,
  description: 'A discount code that was entered for a cart.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Code as it was entered.' }),
    status: t.field({
      type: DiscountCodeStatusRef,
      nullable: false,
      description: 'Whether the code applies.',
      resolve: ({ status }) => status,
    }),
    message: t.string({
      nullable: true,
      description: 'Reason why the code does not apply, in English. Null if the code applies.',
      resolve: ({ status, reason }) =>
        status === 'UNKNOWN' ? 'There is no such code.' : reason === null ? null : codeMessage(reason),
    }),
  }),
});

import { toDecimal, type Money } from '../modules/money.ts';
import { builder } from './builder.ts';
import { SHARED } from './sharing.ts';

/** An amount of money in one currency. */
export const MoneyRef = builder.objectRef<Money>('Money').implement({
  extensions: SHARED,
  description: 'An amount of money in one currency.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'The amount, exact.',
      resolve: toDecimal,
    }),
    currencyCode: t.field({
      type: 'CurrencyCode',
      nullable: false,
      description: 'The currency.',
      resolve: (money) => money.currency,
    }),
  }),
});

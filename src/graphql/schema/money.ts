import { toDecimal, type Money } from '../../modules/money.ts';
import { builder } from './builder.ts';
import { KEPT } from './kept.ts';
import { SHARED } from './shared.ts';

/** An amount of money in one currency. */
export const MoneyRef = builder.objectRef<Money>('Money').implement({
  extensions: { ...SHARED, ...KEPT },
  description: 'An amount of money in one currency.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Exact amount in units of the currency, not in cents.',
      resolve: toDecimal,
    }),
    currencyCode: t.field({
      type: 'CurrencyCode',
      nullable: false,
      description: 'Currency of the amount.',
      resolve: (money) => money.currency,
    }),
  }),
});

import { currencyDigits } from '../config/currencies.ts';
import { declareShopCurrency } from '../modules/currency/shop-currency.ts';
import { defineCommand, print, runIfMain, UsageError } from './command.ts';
import { withDatabase } from './with-database.ts';

const USAGE = `Usage: npm run currency:declare -- CODE DECIMALS

Records that the amounts in the database are in the currency CODE (ISO 4217) with DECIMALS decimal places. Needed only for a
database from a version that did not record its currency. If ISO 4217 defines a different number of decimal places, all amounts
are converted. Stop all processes of the shop and make a backup first. Repeating the command has no further effect.`;

const MAX_DECIMALS = 4;

export const currencyDeclare = defineCommand({
  usage: USAGE,
  positionals: [2, 2],
  failure: 1,
  isExplained: () => true,
  async run({ positionals: [code = '', digits = ''] }, context) {
    if (!/^\d$/.test(digits) || Number(digits) > MAX_DECIMALS) throw new UsageError();
    if (currencyDigits(code) === null) throw new UsageError(`${code} is not an ISO 4217 currency.`);
    await withDatabase(context, async (db) => {
      const { shifted } = await declareShopCurrency(db, { code, digits: Number(digits) });
      const done = shifted === 0 ? 'no amount was changed' : `every amount was multiplied by ${10 ** shifted}`;
      print(context.stdout, `The amounts in this database are in ${code}; ${done}.`);
    });
  },
});

await runIfMain(import.meta.url, currencyDeclare);

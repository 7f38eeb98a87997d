import { parseArgs } from 'node:util';
import { currencyDigits } from '../config/currencies.ts';
import { declareShopCurrency } from '../modules/currency/shop-currency.ts';
import { withDatabase } from './with-database.ts';

// npm run currency:declare -- CODE DECIMALS: says what the amounts of a database mean that do not tell it themselves.
const USAGE = `Usage: npm run currency:declare -- CODE DECIMALS

Records that the amounts in the database are in the currency CODE (ISO 4217) with DECIMALS decimal places. Needed only for a
database from a version that did not record its currency. If ISO 4217 defines a different number of decimal places, all amounts
are converted. Stop all processes of the shop and make a backup first. Repeating the command has no further effect.`;

const MAX_DECIMALS = 4;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', default: false } },
  });
  if (values.help) console.log(USAGE);
  else await declare(positionals);
} catch (error) {
  console.error(error instanceof Error && error.message !== '' ? error.message : error);
  process.exitCode = 1;
}

async function declare([code = '', digits = '', ...rest]: readonly string[]): Promise<void> {
  if (rest.length > 0 || !/^\d$/.test(digits) || Number(digits) > MAX_DECIMALS) throw new Error(USAGE);
  if (currencyDigits(code) === null) throw new Error(`${code} is not an ISO 4217 currency.\n\n${USAGE}`);
  await withDatabase(async (db) => {
    const { shifted } = await declareShopCurrency(db, { code, digits: Number(digits) });
    const done = shifted === 0 ? 'no amount was changed' : `every amount was multiplied by ${10 ** shifted}`;
    console.log(`The amounts in this database are in ${code}; ${done}.`);
  });
}

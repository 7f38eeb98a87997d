import { parseArgs } from 'node:util';
import { currencyDigits } from '../config/currencies.ts';
import { declareShopCurrency } from '../modules/currency/shop-currency.ts';
import { withDatabase } from './with-database.ts';

// npm run currency:declare -- CODE DECIMALS: says what the amounts of a database mean that do not tell it themselves.
const USAGE = `Usage: npm run currency:declare -- CODE DECIMALS

Records that the prices in the database are in the currency CODE (ISO 4217) and are stored with DECIMALS decimals, for a
database that was written before the shop kept a record of that. Where ISO 4217 has another number of decimals the amounts
are converted. Stop every process of the shop first, and make a backup. The same declaration again changes nothing.`;

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
  if (currencyDigits(code) === null) throw new Error(`${code} is not a currency of ISO 4217.\n\n${USAGE}`);
  await withDatabase(async (db) => {
    const { shifted } = await declareShopCurrency(db, { code, digits: Number(digits) });
    const done = shifted === 0 ? 'the amounts stay as they are' : `every amount was multiplied by ${10 ** shifted}`;
    console.log(`The amounts in this database are in ${code}; ${done}.`);
  });
}

import type { Database } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { fractionDigits } from '../money.ts';
import {
  findCurrencyEvidence,
  findShopCurrency,
  lockShopCurrency,
  recordShopCurrency,
  shiftAmounts,
  type CurrencyEvidence,
  type ShopCurrency,
} from './shop-currency.repository.ts';

/** The amounts of a database are in another currency than the configuration says, or their meaning is unknown. */
export class ShopCurrencyError extends Error {
  override readonly name = 'ShopCurrencyError';
}

/**
 * Currencies to which some version of ICU gives other decimals than ISO 4217. Versions of the shop before the record took
 * the decimals from ICU, so that amounts of these may have been written with either.
 */
const UNCERTAIN = new Set(
  'AFN ALL COP CRC HUF IDR IQD IRR KPW LAK LBP MGA MMK MRU MUR PKR RSD SOS STN SYP TZS UZS YER'.split(' '),
);

const DECLARE = 'npm run currency:declare --';

/**
 * Makes sure that the amounts of a database mean what the configuration says. The first start records currency and
 * decimals; every later one compares.
 * @param code SHOP_CURRENCY
 * @throws ShopCurrencyError on a mismatch, or if the rows of an older version do not show what they mean
 */
export async function checkShopCurrency(db: Database, code: string, logger: Logger): Promise<void> {
  const wanted = { code, digits: fractionDigits(code) };
  const recorded = await findShopCurrency(db);
  if (recorded !== null) return compare(recorded, wanted);
  await db.transaction(async (tx) => {
    await lockShopCurrency(tx);
    const byAnother = await findShopCurrency(tx);
    if (byAnother !== null) return compare(byAnother, wanted);
    judge(await findCurrencyEvidence(tx), wanted);
    await recordShopCurrency(tx, wanted);
    tx.afterCommit(() => logger.info(wanted, 'the currency of the database was recorded'));
  });
}

function compare(recorded: ShopCurrency, wanted: ShopCurrency): void {
  if (recorded.code !== wanted.code) {
    throw new ShopCurrencyError(
      `The amounts in this database are in ${recorded.code}, but SHOP_CURRENCY is ${wanted.code}. Set SHOP_CURRENCY=${recorded.code}, or ` +
        `use another database. If the amounts are actually in ${wanted.code}, run: ${DECLARE} ${wanted.code} DECIMALS (see docs/operations.md).`,
    );
  }
  if (recorded.digits !== wanted.digits) {
    throw new ShopCurrencyError(
      `The amounts in this database have ${decimals(recorded.digits)} of ${recorded.code}, but this version of the shop ` +
        `uses ${wanted.digits}. To convert the amounts, run: ${DECLARE} ${recorded.code} ${recorded.digits}.`,
    );
  }
}

/** Whether rows that were written before there was a record can be taken for the wanted currency. */
function judge(found: CurrencyEvidence, wanted: ShopCurrency): void {
  if (!found.hasAmounts) return;
  const other = found.orderCurrencies.find((code) => code !== wanted.code);
  if (other !== undefined) {
    throw new ShopCurrencyError(
      `This database has orders in ${found.orderCurrencies.join(' and ')}, but SHOP_CURRENCY is ${wanted.code}. Set the currency of ` +
        `its prices as SHOP_CURRENCY; if the orders have several currencies, declare the currency once: ${DECLARE} CODE DECIMALS (see docs/operations.md).`,
    );
  }
  const isProven = found.decimals.length === 1 && found.decimals[0] === wanted.digits;
  const isDisproven = found.decimals.some((digits) => digits !== wanted.digits);
  if (isDisproven || (!isProven && UNCERTAIN.has(wanted.code))) {
    throw new ShopCurrencyError(
      `Amounts in ${wanted.code} have ${decimals(wanted.digits)} (ISO 4217). Node versions differed in this number, and this database ` +
        'was written when the shop used the number of Node' +
        (isDisproven ? `: prices were written with ${found.decimals.join(' and with ')}. ` : '. ') +
        `Check a price that you know in product_variants.price_minor: if a price of 1990 ${wanted.code} is stored as 1990, it has 0 ` +
        `decimals; if it is stored as 199000, it has 2. Then run once: ${DECLARE} ${wanted.code} DECIMALS (see docs/operations.md).`,
    );
  }
}

function decimals(digits: number): string {
  return digits === 1 ? '1 decimal' : `${digits} decimals`;
}

/** What a declaration did. */
export interface Declaration extends ShopCurrency {
  /** The power of ten by which amounts were multiplied; 0: they stayed. */
  shifted: number;
}

/**
 * Records what the amounts of a database mean, for data that do not show it, and converts them to the decimals of ISO 4217.
 * No other process of the shop may be running. Repeating a declaration has no further effect.
 * @param stored the currency of the amounts, and the decimals with which they are stored
 * @throws ShopCurrencyError if it contradicts the record, or an amount has more decimals than the currency
 */
export async function declareShopCurrency(db: Database, stored: ShopCurrency): Promise<Declaration> {
  const wanted = { code: stored.code, digits: fractionDigits(stored.code) };
  return db.transaction(async (tx) => {
    await lockShopCurrency(tx);
    const recorded = await findShopCurrency(tx);
    if (recorded?.code === wanted.code) {
      if (recorded.digits === wanted.digits) return { ...wanted, shifted: 0 };
      if (recorded.digits !== stored.digits) {
        throw new ShopCurrencyError(
          `The database records ${decimals(recorded.digits)} of ${recorded.code}, not ${stored.digits}.`,
        );
      }
    }
    const shifted = wanted.digits - stored.digits;
    if (shifted !== 0 && !(await shiftAmounts(tx, wanted.code, shifted))) {
      throw new ShopCurrencyError(
        `Some amounts have more than ${decimals(wanted.digits)} of ${wanted.code}. Nothing was changed.`,
      );
    }
    await recordShopCurrency(tx, wanted);
    return { ...wanted, shifted };
  });
}

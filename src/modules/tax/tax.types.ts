/** A kind of goods with a tax rate of its own. */
export interface TaxCategory {
  id: string;
  /** Such as `standard`, `reduced`, `zero`. */
  code: string;
  name: string;
  /** Whether it is the category of variants that have none of their own. */
  isDefault: boolean;
  createdAt: Date;
  updatedAt: Date;
}

/** The rate of a category in a zone, from an instant on until the next one of the two. */
export interface TaxRate {
  id: string;
  zoneId: string;
  taxCategoryId: string;
  /** As customers read it, such as `VAT 19 %`. */
  title: string;
  /** Parts per million. */
  ratePpm: number;
  validFrom: Date;
  updatedAt: Date;
}

/** The fields of a category that staff enter. */
export type TaxCategoryFields = Pick<TaxCategory, 'code' | 'name' | 'isDefault'>;

/** The fields of a rate that staff enter. */
export type TaxRateFields = Pick<TaxRate, 'zoneId' | 'taxCategoryId' | 'title' | 'ratePpm'> & {
  /** Null: from now on. */
  validFrom: Date | null;
};

/** Decimals that a percentage may have: one ppm is 0.0001 %. */
const PERCENT_DECIMALS = 4;

/**
 * The parts per million of a percentage, exactly: `8.875` is 88,750.
 * @returns null if the text has more than four significant decimals
 */
export function ppmOf(percent: string): number | null {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(percent) ?? [];
  const significant = fraction.replace(/0+$/, '');
  if (whole === '' || significant.length > PERCENT_DECIMALS) return null;
  return Number(sign + whole + significant.padEnd(PERCENT_DECIMALS, '0'));
}

/** The percentage of parts per million, without trailing zeros: 190,000 is `19`, 88,750 is `8.875`. */
export function percentOf(ppm: number): string {
  const digits = String(ppm).padStart(PERCENT_DECIMALS + 1, '0');
  const fraction = digits.slice(-PERCENT_DECIMALS).replace(/0+$/, '');
  const whole = digits.slice(0, -PERCENT_DECIMALS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

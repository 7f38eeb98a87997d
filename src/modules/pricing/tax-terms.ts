import type { PricingConfig } from '../../config/config.ts';
import type { TaxInput, TaxRateTerms } from './quote.types.ts';
import type { PricingTerms, ZoneRow } from './terms.repository.ts';

function ratesAt(zone: ZoneRow | null, now: Date): Map<string, TaxRateTerms> {
  const rates = new Map<string, TaxRateTerms>();
  // In the order of their beginning: a later one replaces an earlier one.
  for (const { taxCategoryId, title, ppm, validFrom } of zone?.taxRates ?? []) {
    if (validFrom <= now.getTime()) rates.set(taxCategoryId, { title, ppm });
  }
  return rates;
}

/**
 * How a cart is taxed; null in a shop without tax rates.
 * @param zone of the destination; null: no zone has it, and nothing is taxed there; undefined: not known yet, the shop's own counts
 */
export function taxTerms(
  terms: PricingTerms,
  config: PricingConfig,
  { zone, isExempt, now }: { zone: ZoneRow | null | undefined; isExempt: boolean; now: Date },
): TaxInput | null {
  if (terms.zones.every(({ taxRates }) => taxRates.length === 0)) return null;
  const home = terms.zones.find(({ isHome }) => isHome) ?? null;
  const at = zone === undefined ? home : zone;
  const isAbroad = home !== null && at?.id !== home.id;
  const loses = isExempt || (isAbroad && config.taxAbroad === 'net');
  return {
    included: config.pricesIncludeTax,
    defaultCategoryId: terms.defaultTaxCategoryId,
    rates: isExempt ? new Map() : ratesAt(at, now),
    relief: config.pricesIncludeTax && loses ? ratesAt(home, now) : null,
  };
}

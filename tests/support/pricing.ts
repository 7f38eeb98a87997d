import { v7 as uuid } from 'uuid';
import { normalizeCode } from '../../src/modules/promotions/code.ts';
import { termsChanged } from '../../src/modules/pricing/pricing.events.ts';
import { globalId, type World } from './fixtures.ts';

/** Columns of a promotion, by the names of the table. */
export interface PromotionFixture {
  title?: string;
  codes?: string[];
  scope?: 'LINES' | 'ORDER' | 'SHIPPING';
  kind?: 'PERCENT' | 'FIXED_EACH' | 'FIXED_ACROSS' | 'FREE' | 'BUY_X_GET_Y';
  percent_ppm?: number;
  amount_minor?: number;
  buy_quantity?: number;
  get_quantity?: number;
  product_ids?: string[];
  tags?: string[];
  min_subtotal_minor?: number;
  countries?: string[];
  first_order_only?: boolean;
  customer_ids?: string[];
  starts_at?: Date;
  ends_at?: Date | null;
  combines_with?: string[];
  usage_limit?: number;
  usage_limit_per_customer?: number;
  budget_minor?: number;
}

/** What staff do to the terms of prices: the rows and their event in one transaction. */
async function changeTerms(
  { db, eventLog }: World,
  what: 'PROMOTION' | 'SHIPPING' | 'TAX',
  statements: readonly { text: string; values: readonly unknown[] }[],
): Promise<void> {
  await db.transaction(async (tx) => {
    for (const { text, values } of statements) await tx.query({ text }, values);
    await eventLog.append(tx, new Date(), [termsChanged(what, uuid())]);
  });
}

/** Makes a promotion: by its codes, or automatic where it has none. */
export async function makePromotion(
  world: World,
  fixture: PromotionFixture = {},
): Promise<{ id: string; title: string }> {
  const { title = 'A promotion', codes = [], ...columns } = fixture;
  const id = uuid();
  const row: Record<string, unknown> = {
    id,
    title,
    trigger: codes.length > 0 ? 'CODE' : 'AUTOMATIC',
    scope: 'ORDER',
    kind: 'PERCENT',
    starts_at: new Date(Date.now() - 3_600_000),
    created_at: new Date(),
    updated_at: new Date(),
    ...columns,
  };
  if (row.kind === 'PERCENT' && row.percent_ppm === undefined) row.percent_ppm = 100_000;
  const names = Object.keys(row);
  const casts: Record<string, string> = {
    combines_with: '::promotion_scope[]',
    product_ids: '::uuid[]',
    customer_ids: '::uuid[]',
  };
  await changeTerms(world, 'PROMOTION', [
    {
      text: `INSERT INTO promotions (${names.join(', ')}) VALUES (${names.map((name, index) => `$${index + 1}${casts[name] ?? ''}`).join(', ')})`,
      values: Object.values(row),
    },
    {
      text: `INSERT INTO promotion_codes (code, normalized, promotion_id, created_at)
             SELECT code, normalized, $3, clock_timestamp() FROM unnest($1::text[], $2::text[]) AS c(code, normalized)`,
      values: [codes, codes.map((code) => normalizeCode(code)), id],
    },
  ]);
  return { id, title };
}

/** Changes columns of a promotion. */
export function changePromotion(world: World, id: string, set: string): Promise<void> {
  return changeTerms(world, 'PROMOTION', [{ text: `UPDATE promotions SET ${set} WHERE id = $1`, values: [id] }]);
}

/** The counters of a promotion. */
export async function usageOf({ db }: Pick<World, 'db'>, id: string): Promise<{ used: number; spent: number }> {
  const [row] = await db.query<{ used: number; spent: number }>(
    { text: 'SELECT used, spent_minor::int AS spent FROM promotions WHERE id = $1' },
    [id],
  );
  if (row === undefined) throw new Error('no such promotion');
  return row;
}

/** A shipping method of a zone, with one band. */
export interface MethodFixture {
  title: string;
  price: number;
  freeFrom?: number;
  basis?: 'WEIGHT' | 'SUBTOTAL';
  from?: number;
  to?: number;
}

/** Makes a zone with its methods and its one tax rate, in percent. */
export async function makeZone(
  world: World,
  zone: {
    name: string;
    countries?: string[];
    regions?: string[];
    isRest?: boolean;
    isHome?: boolean;
    methods?: MethodFixture[];
    tax?: number;
  },
): Promise<{ id: string; methods: { id: string; globalId: string }[] }> {
  const id = uuid();
  const methods = (zone.methods ?? []).map((method) => ({ id: uuid(), ...method }));
  await changeTerms(world, 'SHIPPING', [
    {
      text: `INSERT INTO shipping_zones (id, name, countries, regions, is_rest, is_home, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())`,
      values: [id, zone.name, zone.countries ?? [], zone.regions ?? [], zone.isRest ?? false, zone.isHome ?? false],
    },
    ...methods.flatMap((method, position) => [
      {
        text: `INSERT INTO shipping_methods (id, zone_id, title, free_from_minor, position, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp())`,
        values: [method.id, id, method.title, method.freeFrom ?? null, position],
      },
      {
        text: `INSERT INTO shipping_rates (id, method_id, basis, from_value, to_value, price_minor)
               VALUES ($1, $2, $3::shipping_rate_basis, $4, $5, $6)`,
        values: [uuid(), method.id, method.basis ?? 'SUBTOTAL', method.from ?? 0, method.to ?? null, method.price],
      },
    ]),
    ...(zone.tax === undefined
      ? []
      : [
          {
            text: `INSERT INTO tax_categories (id, code, name, is_default, created_at, updated_at)
                   SELECT $1::uuid, 'standard', 'Standard', true, clock_timestamp(), clock_timestamp()
                    WHERE NOT EXISTS (SELECT FROM tax_categories WHERE is_default)`,
            values: [uuid()],
          },
          {
            text: `INSERT INTO tax_rates (id, zone_id, tax_category_id, title, rate_ppm, valid_from)
                   SELECT $1, $2, id, $3, $4, clock_timestamp() - interval '1 day' FROM tax_categories WHERE is_default`,
            values: [uuid(), id, `VAT of ${zone.name}`, zone.tax * 10_000],
          },
        ]),
  ]);
  return { id, methods: methods.map((method) => ({ id: method.id, globalId: globalId('ShippingMethod', method.id) })) };
}

/** Takes everything away that decides prices, so that the next test begins without terms. */
export async function clearTerms(world: World): Promise<void> {
  await changeTerms(world, 'PROMOTION', [
    { text: 'DELETE FROM promotions', values: [] },
    { text: 'DELETE FROM shipping_zones', values: [] },
    { text: 'UPDATE product_variants SET tax_category_id = NULL WHERE tax_category_id IS NOT NULL', values: [] },
    { text: 'DELETE FROM tax_categories', values: [] },
  ]);
}

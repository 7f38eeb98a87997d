import { expect, test } from 'vitest';
import type { Queryable } from '../../src/infra/postgres/database.ts';
import { createOrderViewer } from '../../src/modules/mail/letter-views.ts';
import type { OrderRow } from '../../src/modules/mail/letters.repository.ts';

/** An order as it is read; `unitPriceMinor` is the price of its only line. */
function rowOf(id: string, unitPriceMinor: number): OrderRow {
  const address = {
    name: null,
    line1: null,
    line2: null,
    city: null,
    region: null,
    postalCode: null,
    countryCode: null,
  };
  const amounts = { totalMinor: 100n, subtotalMinor: 100n, discountMinor: 0n, shippingMinor: 0n, taxMinor: 0n };
  return {
    ...{ id, number: 1n, status: 'PLACED', currency: 'USD', ...amounts, ...address },
    ...{ pricesIncludeTax: false, shippingMethodTitle: null, discounts: [], taxes: [], isConfirmed: false },
    ...{ placedAt: new Date(), readAt: new Date() },
    lines: [{ title: 'Tea', sku: 'TEA', quantity: 1, unitPriceMinor, reliefMinor: '0' }],
  };
}

test('an order that cannot be shown fails by itself, and not the orders that are read with it', async () => {
  const reads: string[][] = [];
  const source: Queryable = {
    async query<Row extends object>(_statement: unknown, [ids]: readonly unknown[] = []) {
      reads.push(ids as string[]);
      return (ids as string[]).map((id) => rowOf(id, id === 'broken' ? 0.5 : 100)) as object[] as Row[];
    },
  };
  const view = createOrderViewer(source);
  const settled = await Promise.allSettled(['a', 'b', 'c', 'broken', 'd'].map((id) => view(id)));
  expect(reads).toEqual([['a', 'b', 'c', 'broken', 'd']]);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

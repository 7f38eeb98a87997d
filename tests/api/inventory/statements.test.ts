import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { recordStatements } from '../../support/statements.ts';
import { stockKeeperOf } from '../../support/staff-stock.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  const keepers = [staff, await newStaff(shop)].map((person) => stockKeeperOf(person.client));
  for (let n = 0; n < 20; n += 1) {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 5 }, { onHand: 6 }, { onHand: 7 }] });
    for (const [index, { globalId: variantId }] of variants.entries()) {
      for (let step = 0; step <= index; step += 1) await keepers[(n + step) % 2]?.adjust({ variantId, delta: 1 });
    }
  }
});
afterAll(() => shop.dispose());

const Levels = graphql(`
  query StaffStockLevels($first: Int!) {
    products(first: $first) {
      nodes {
        variants {
          onHand
          held
          stockMovements(first: 3) {
            totalCount
            nodes {
              reason
              onHandAfter
              actor {
                email
              }
              variant {
                sku
              }
            }
          }
        }
      }
    }
  }
`);

test('products with the levels and the ledgers of their variants: 7, however many', async () => {
  const lists = [];
  for (const first of [1, 20]) {
    lists.push(await recordStatements(() => staff.client.data(Levels, { first })));
  }
  const variants = lists.map(({ result }) => (result.products?.nodes ?? []).flatMap((product) => product.variants));
  expect(variants.map((list) => list.length)).toEqual([3, 60]);
  for (const list of variants) {
    expect(list.map(({ onHand, held, stockMovements }) => [onHand, held, stockMovements?.totalCount])).toEqual(
      list.map((_variant, index) => [[6, 8, 10][index % 3], 0, (index % 3) + 2]),
    );
    expect(list.map(({ stockMovements }) => stockMovements?.nodes.map((entry) => entry.onHandAfter))).toEqual(
      list.map(
        (_variant, index) =>
          [
            [6, 5],
            [8, 7, 6],
            [10, 9, 8],
          ][index % 3],
      ),
    );
  }
  // Who asks, the products, their variants, pages of ledgers, their totals, who did it, and each entry's variant.
  expect(lists.map(({ statements }) => statements.length)).toEqual([7, 7]);
});

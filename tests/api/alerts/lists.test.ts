import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newEmail, newPerson, newStaff } from '../../support/accounts.ts';
import { makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { recordStatements } from '../../support/statements.ts';
import { alertDocuments, waiterOf } from '../../support/stock-alerts.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const Counts = graphql(`
  query AlertsCounts($first: Int!) {
    products(first: $first) {
      nodes {
        variants {
          id
          stockAlertCount
        }
      }
    }
  }
`);

test('a user’s list is paged both ways, and costs the same however long', async () => {
  const ada = await newPerson(shop);
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { globalId: variantId } = await makeVariant(shop, { onHand: 0 });
    ids.unshift(known((await waiterOf(ada.client).wait({ variantId })).stockAlert).id);
  }
  const page = async (variables: { first?: number; after?: string; last?: number; before?: string }) => {
    const { result, statements } = await recordStatements(() => ada.client.data(alertDocuments.mine, variables));
    const { nodes, pageInfo, totalCount } = known(result.me?.stockAlerts);
    expect(totalCount).toBe(5);
    return { ids: nodes.map((node) => node.id), pageInfo, count: statements.length };
  };
  const first = await page({ first: 2 });
  expect([first.ids, first.pageInfo.hasNextPage]).toEqual([ids.slice(0, 2), true]);
  const second = await page({ first: 3, after: known(first.pageInfo.endCursor) });
  expect([second.ids, second.pageInfo.hasNextPage]).toEqual([ids.slice(2), false]);
  const last = await page({ last: 2 });
  expect([last.ids, last.pageInfo.hasPreviousPage]).toEqual([ids.slice(3), true]);
  const before = await page({ last: 3, before: known(last.pageInfo.startCursor) });
  expect([before.ids, before.pageInfo.hasPreviousPage]).toEqual([ids.slice(0, 3), false]);
  // Who asks, the user, the page, its total, the variants.
  expect([first, second, last, before].map(({ count }) => count)).toEqual([5, 5, 5, 5]);
  const bad = await ada.client.execute(alertDocuments.mine, { first: 1, after: 'nonsense' });
  expect(bad.codes).toEqual(['BAD_REQUEST']);
});

test('staff see how many wait for each variant: 4 statements, however many', async () => {
  const staff = await newStaff(shop);
  const counts = new Map<string, number>();
  for (let n = 0; n < 10; n += 1) {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 0 }, { onHand: 3 }] });
    const [empty, full] = [known(variants[0]), known(variants[1])];
    counts.set(empty.globalId, n % 3).set(full.globalId, 0);
    for (let person = 0; person < n % 3; person += 1) {
      await waiterOf(shop.client()).wait({ variantId: empty.globalId, email: newEmail() });
    }
    const { stockAlert } = await waiterOf(shop.client()).wait({ variantId: empty.globalId, email: newEmail() });
    const { stockAlerts } = shop.app.services;
    const id = Buffer.from(known(stockAlert).id, 'base64').toString().split(':')[1];
    await stockAlerts.cancelByToken(stockAlerts.cancelToken(known(id)));
  }
  const seen = [];
  for (const first of [1, 10]) seen.push(await recordStatements(() => staff.client.data(Counts, { first })));
  const variants = (seen[1]?.result.products?.nodes ?? []).flatMap((product) => product.variants);
  expect(variants).toHaveLength(20);
  expect(new Map(variants.map((variant) => [variant.id, variant.stockAlertCount]))).toEqual(counts);
  // Who asks, the products, their variants, the counts.
  expect(seen.map(({ statements }) => statements.length)).toEqual([4, 4]);
});

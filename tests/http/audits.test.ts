import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiNode, type TestShop } from '../support/shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

test('all 61 audits of GraphQL over HTTP pass', async () => {
  const results = await auditServer({ url: `${shop.url}/graphql`, fetchFn: fetch });
  const failed = results.filter((result) => result.status !== 'ok');
  expect(failed.map((result) => `${result.id} ${result.name}: ${'reason' in result ? result.reason : ''}`)).toEqual([]);
  expect(results).toHaveLength(61);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff } from '../../support/accounts.ts';
import type { Client } from '../../support/client.ts';
import { known } from '../../support/known.ts';
import { recordedOf } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

// Two members of staff edit the same zone, method, tax rate, tax category or promotion. Each names the version that the changes are
// based on, and the second one gets an error with the present version.

let shop: QuietShop;
let ada: Client;
let bob: Client;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', SHOP_CURRENCY: 'EUR' });
  [ada, bob] = [(await newStaff(shop)).client, (await newStaff(shop)).client];
});
afterAll(() => shop.dispose());

interface Edited {
  id: string;
  updatedAt: string;
}
interface Payload {
  result: (Edited & Record<string, unknown>) | null;
  errors: { code: string; path: string[] | null; expectedUpdatedAt?: string; updatedAt?: string; subject?: unknown }[];
}

/** Calls `…Create` or `…Update` of an object and selects `id`, `updatedAt` and the field that the tests edit. */
async function call(client: Client, mutation: string, edits: string, input: object): Promise<Payload> {
  const name = mutation.replace(/(Create|Update)$/, '');
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const selection = `id updatedAt ${edits}`;
  const document = `mutation ($input: ${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!) {
    payload: ${mutation}(input: $input) {
      result: ${name} { ${selection} }
      errors { code path ... on EditConflictError { expectedUpdatedAt updatedAt subject { ... on ${type} { ${selection} } } } }
    }
  }`;
  return (await client.data<{ payload: Payload }>(document, { input })).payload;
}

async function create(mutation: string, input: object): Promise<Edited> {
  const { result, errors } = await call(ada, mutation, '', input);
  expect(errors).toEqual([]);
  return known(result);
}

let count = 0;
const named = (what: string) => `${what} ${(count += 1)}`;
// Each zone has a postal prefix of its own: no place may belong to two zones.
const newZone = () =>
  create('shippingZoneCreate', {
    name: named('Zone'),
    postalPrefixes: [`DE-${String((count += 1)).padStart(5, '0')}`],
  });
const newCategory = () => create('taxCategoryCreate', { code: `kind-${(count += 1)}`, name: 'Kind' });

const rates = [{ basis: 'SUBTOTAL', price: '4.90' }];
const editable: Record<string, { edits: string; first: string; second: string; make: () => Promise<Edited> }> = {
  shippingZone: { edits: 'name', first: 'Zone of Ada', second: 'Zone of Bob', make: newZone },
  shippingMethod: {
    edits: 'title',
    first: 'By Ada',
    second: 'By Bob',
    make: async () => create('shippingMethodCreate', { zoneId: (await newZone()).id, title: 'Parcel', rates }),
  },
  taxCategory: { edits: 'name', first: 'By Ada', second: 'By Bob', make: newCategory },
  taxRate: {
    edits: 'percent',
    first: '7',
    second: '19',
    make: async () =>
      create('taxRateCreate', {
        zoneId: (await newZone()).id,
        taxCategoryId: (await newCategory()).id,
        title: 'VAT',
        percent: '16',
      }),
  },
  promotion: {
    edits: 'title',
    first: 'By Ada',
    second: 'By Bob',
    make: () =>
      create('promotionCreate', { title: 'Sale', trigger: 'AUTOMATIC', scope: 'ORDER', kind: 'PERCENT', percent: '5' }),
  },
};

describe.each(Object.entries(editable))('an update of %s', (name, { edits, first, second, make }) => {
  const update = (client: Client, id: string, value: string, expectedUpdatedAt?: string | null) =>
    call(client, `${name}Update`, edits, { id, [edits]: value, expectedUpdatedAt });

  test('that is based on an older version changes nothing and returns the present version', async () => {
    const { id, updatedAt: before } = await make();
    const { result: saved, errors } = await update(ada, id, first, before);
    expect(errors).toEqual([]);
    expect(saved).toMatchObject({ [edits]: first });
    const { updatedAt: at } = known(saved);
    expect(Date.parse(at)).toBeGreaterThan(Date.parse(before));

    const conflict = {
      code: 'EDIT_CONFLICT',
      path: ['expectedUpdatedAt'],
      expectedUpdatedAt: before,
      updatedAt: at,
      subject: { id, updatedAt: at, [edits]: first },
    };
    expect(await changingNothing(shop, () => update(bob, id, second, before))).toEqual({
      result: null,
      errors: [conflict],
    });
    // An update that would change nothing is based on an older version all the same.
    expect(await changingNothing(shop, () => update(bob, id, first, before))).toEqual({
      result: null,
      errors: [conflict],
    });
    expect(await update(bob, id, second, at)).toMatchObject({ result: { [edits]: second }, errors: [] });
    expect(await update(ada, id, first)).toMatchObject({ result: { [edits]: first }, errors: [] });
  });

  test('is saved once if four callers send it at the same time', async () => {
    const { id, updatedAt } = await make();
    const all = await Promise.all([ada, bob, ada, bob].map((client) => update(client, id, second, updatedAt)));
    expect(all.map(({ errors: [error] }) => error?.code ?? 'saved').toSorted()).toEqual([
      'EDIT_CONFLICT',
      'EDIT_CONFLICT',
      'EDIT_CONFLICT',
      'saved',
    ]);
    const kinds = (await recordedOf(shop, rowId(id))).map(([kind]) => kind);
    expect(kinds.filter((kind) => kind.endsWith('_UPDATED'))).toHaveLength(1);
  });
});

test('an update of shipping rates alone is a new version of their method', async () => {
  const zone = await newZone();
  const { id, updatedAt } = await create('shippingMethodCreate', { zoneId: zone.id, title: 'Parcel', rates });
  const dearer = [{ basis: 'SUBTOTAL', price: '5.90' }];
  const saved = await call(ada, 'shippingMethodUpdate', '', { id, rates: dearer, expectedUpdatedAt: updatedAt });
  expect(Date.parse(known(saved.result).updatedAt)).toBeGreaterThan(Date.parse(updatedAt));
});

test('a home zone and a default category that are replaced by others are new versions of themselves', async () => {
  const pairs = [
    [await newZone(), await newZone(), 'shippingZoneUpdate', 'isHome'],
    [await newCategory(), await newCategory(), 'taxCategoryUpdate', 'isDefault'],
  ] as const;
  for (const [one, other, mutation, flag] of pairs) {
    const { result } = await call(ada, mutation, flag, { id: one.id, [flag]: true });
    expect(result).toMatchObject({ [flag]: true });
    await call(ada, mutation, flag, { id: other.id, [flag]: true });
    const { updatedAt: expectedUpdatedAt } = known(result);
    const { errors } = await call(bob, mutation, flag, { id: one.id, [flag]: true, expectedUpdatedAt });
    expect(errors).toMatchObject([{ code: 'EDIT_CONFLICT', subject: { id: one.id, [flag]: false } }]);
  }
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { known } from '../../support/known.ts';
import { recordedOf } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', SHOP_CURRENCY: 'EUR' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

type Result = Record<string, unknown> & { id: string };

const SELECTIONS: Record<string, string> = {
  shippingZone: 'id name countries regions postalPrefixes isRestOfWorld isHome',
  shippingMethod:
    'id title description deliveryEstimate position freeFrom { amount } taxCategory { code } rates { basis from to price { amount } }',
  taxCategory: 'id code name isDefault',
  taxRate: 'id title percent validFrom category { code }',
  user: 'id taxExempt taxExemptNote',
};

/** Calls a mutation; gives its result, or its errors in short. */
async function call(field: string, input: object): Promise<{ result: Result | null; faults: string[] }> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const name = field.startsWith('user') ? 'user' : field.replace(/(Create|Update|Delete)$/, '');
  const selection = field.endsWith('Delete') ? 'result: deletedId' : `result: ${name} { ${known(SELECTIONS[name])} }`;
  const document = `mutation ($input: ${type}!) { payload: ${field}(input: $input) { ${selection} errors { code reason path } } }`;
  const { payload } = await staff.client.data<{
    payload: { result: Result | null; errors: { code: string; reason: string | null; path: string[] | null }[] };
  }>(document, { input });
  const faults = payload.errors.map(({ code, reason, path }) => [reason ?? code, path?.join('.') ?? '-'].join(' '));
  return { result: payload.result, faults };
}

/** Calls a mutation that must succeed. */
async function done(field: string, input: object): Promise<Result> {
  const { result, faults } = await call(field, input);
  expect(faults).toEqual([]);
  return known(result);
}

/** Calls a mutation that must change nothing. */
async function refused(field: string, input: object): Promise<string[]> {
  return changingNothing(shop, async () => {
    const { result, faults } = await call(field, input);
    expect(result).toBeNull();
    return faults;
  });
}

/** What events say of a row: which terms changed with it. */
async function changesOf(id: string): Promise<string[]> {
  const events = await shop.db.query<{ what: string }>(
    {
      text: `SELECT payload->>'what' AS what FROM event_log
              WHERE type = 'pricing_changed' AND payload->>'rowId' = $1 ORDER BY id`,
    },
    [rowId(id)],
  );
  return events.map(({ what }) => what);
}

let count = 0;
const named = (what: string) => `${what} ${(count += 1)}`;

describe('zones', () => {
  test('are created, updated, listed and deleted, each with a record and an event', async () => {
    const { id, ...created } = await done('shippingZoneCreate', {
      name: ' Alps ',
      countries: ['ch', 'AT', 'CH'],
      regions: ['de-bayern', 'US-Colorado'],
      postalPrefixes: ['DE-8 8', 'fr-74'],
    });
    expect(created).toEqual({
      name: 'Alps',
      countries: ['AT', 'CH'],
      regions: ['DE-BY', 'US-CO'],
      postalPrefixes: ['DE-88', 'FR-74'],
      isRestOfWorld: false,
      isHome: false,
    });
    const updated = await done('shippingZoneUpdate', { id, name: 'Mountains', regions: null, isHome: true });
    expect(updated).toMatchObject({ name: 'Mountains', countries: ['AT', 'CH'], regions: [], isHome: true });
    // Without effect.
    await done('shippingZoneUpdate', { id, name: 'Mountains' });
    const { shippingZones } = await staff.client.data<{ shippingZones: { id: string }[] }>('{ shippingZones { id } }');
    expect(shippingZones.map((zone) => zone.id)).toContain(id);
    expect((await call('shippingZoneDelete', { id })).result).toBe(id);
    expect(await recordedOf(shop, rowId(id))).toEqual([
      [
        'SHIPPING_ZONE_CREATED',
        ['name: - → Alps', 'countries: - → AT, CH', 'regions: - → DE-BY, US-CO', 'postalPrefixes: - → DE-88, FR-74'],
      ],
      ['SHIPPING_ZONE_UPDATED', ['name: Alps → Mountains', 'regions: DE-BY, US-CO → -', 'isHome: - → true']],
      [
        'SHIPPING_ZONE_DELETED',
        ['name: Mountains → -', 'countries: AT, CH → -', 'postalPrefixes: DE-88, FR-74 → -', 'isHome: true → -'],
      ],
    ]);
    expect(await changesOf(id)).toEqual(['SHIPPING', 'SHIPPING', 'SHIPPING']);
  });

  test('share no place, no name and no rest of the world; the home zone is the latest', async () => {
    const name = named('zone');
    const rest = await done('shippingZoneCreate', { name, countries: ['JP'], isRestOfWorld: true, isHome: true });
    expect(await refused('shippingZoneCreate', { name, countries: ['KR'] })).toEqual(['CONFLICT name']);
    const other = { name: named('zone') };
    expect(await refused('shippingZoneCreate', { ...other, countries: ['JP'] })).toEqual(['CONFLICT countries']);
    expect(await refused('shippingZoneCreate', { ...other, isRestOfWorld: true })).toEqual(['CONFLICT isRestOfWorld']);
    expect(await refused('shippingZoneCreate', other)).toEqual(['REQUIRED countries']);
    const home = await done('shippingZoneCreate', { ...other, countries: ['KR'], isHome: true });
    const { nodes } = await staff.client.data<{ nodes: { isHome: boolean }[] }>(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ShippingZone { isHome } } }',
      { ids: [rest.id, home.id] },
    );
    expect(nodes).toEqual([{ isHome: false }, { isHome: true }]);
    expect(await refused('shippingZoneUpdate', { id: home.id, countries: ['JP'] })).toEqual(['CONFLICT countries']);
    for (const { id } of [rest, home]) await call('shippingZoneDelete', { id });
    expect(await refused('shippingZoneDelete', { id: home.id })).toEqual(['NOT_FOUND id']);
  });

  test('cover places that exist', async () => {
    const place = async (input: object) => refused('shippingZoneCreate', { name: named('zone'), ...input });
    expect(await place({ countries: ['DE', 'XX'] })).toEqual(['COUNTRY_INVALID countries.1']);
    expect(await place({ regions: ['US', 'US-Bavaria', 'XX-CA'] })).toEqual([
      'MALFORMED regions.0',
      'MALFORMED regions.1',
      'MALFORMED regions.2',
    ]);
    expect(await place({ postalPrefixes: ['10115', 'DE- '] })).toEqual([
      'MALFORMED postalPrefixes.0',
      'MALFORMED postalPrefixes.1',
    ]);
  });

  test('are for staff alone, while methods are for everyone', async () => {
    const zone = await done('shippingZoneCreate', { name: named('zone'), countries: ['BR'] });
    const rates = [{ basis: 'SUBTOTAL', price: '4.90' }];
    const method = await done('shippingMethodCreate', { zoneId: zone.id, title: 'Post', rates });
    const { client } = await newPerson(shop);
    const found = await client.data(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on ShippingMethod { title } } }',
      {
        ids: [zone.id, method.id],
      },
    );
    expect(found).toEqual({ nodes: [null, { id: method.id, title: 'Post' }] });
    await call('shippingZoneDelete', { id: zone.id });
  });
});

describe('methods', () => {
  test('are created with rates, updated, and deleted with their zone', async () => {
    const zone = await done('shippingZoneCreate', { name: named('zone'), countries: ['SE'] });
    const category = await done('taxCategoryCreate', { code: 'parcels', name: 'Parcels' });
    const { id, ...created } = await done('shippingMethodCreate', {
      zoneId: zone.id,
      title: 'Parcel',
      description: 'Tracked',
      deliveryEstimate: '2 to 4 working days',
      taxCategoryId: category.id,
      freeFrom: '75',
      rates: [
        { basis: 'WEIGHT', to: '2000', price: '4.9' },
        { basis: 'WEIGHT', from: '2000', to: '30000', price: '9.90' },
        { basis: 'SUBTOTAL', from: '50.00', price: '0' },
      ],
    });
    expect(created).toEqual({
      title: 'Parcel',
      description: 'Tracked',
      deliveryEstimate: '2 to 4 working days',
      position: 0,
      freeFrom: { amount: '75.00' },
      taxCategory: { code: 'parcels' },
      rates: [
        { basis: 'WEIGHT', from: '0', to: '2000', price: { amount: '4.90' } },
        { basis: 'WEIGHT', from: '2000', to: '30000', price: { amount: '9.90' } },
        { basis: 'SUBTOTAL', from: '50.00', to: null, price: { amount: '0.00' } },
      ],
    });
    // A category that is used is not deleted.
    expect(await refused('taxCategoryDelete', { id: category.id })).toEqual(['CONFLICT id']);
    const updated = await done('shippingMethodUpdate', {
      id,
      description: null,
      taxCategoryId: null,
      freeFrom: null,
      rates: [{ basis: 'SUBTOTAL', price: '5' }],
    });
    expect(updated).toEqual({
      id,
      title: 'Parcel',
      description: null,
      deliveryEstimate: '2 to 4 working days',
      position: 0,
      freeFrom: null,
      taxCategory: null,
      rates: [{ basis: 'SUBTOTAL', from: '0.00', to: null, price: { amount: '5.00' } }],
    });
    expect((await recordedOf(shop, rowId(id)))[1]).toEqual([
      'SHIPPING_METHOD_UPDATED',
      [
        'description: Tracked → -',
        `taxCategoryId: ${rowId(category.id)} → -`,
        'freeFrom: 75.00 → -',
        'rates: from 0 g to 2000 g: 4.90; from 2000 g to 30000 g: 9.90; from 50.00 on: 0.00 → from 0.00 on: 5.00',
      ],
    ]);
    expect((await call('taxCategoryDelete', { id: category.id })).result).toBe(category.id);
    await call('shippingZoneDelete', { id: zone.id });
    expect(await refused('shippingMethodDelete', { id })).toEqual(['NOT_FOUND id']);
  });

  test('are refused with bands, amounts or zones that cannot be', async () => {
    const zone = await done('shippingZoneCreate', { name: named('zone'), countries: ['NO'] });
    const method = (input: object) => refused('shippingMethodCreate', { zoneId: zone.id, title: 'Post', ...input });
    const rate = (input: object) => method({ rates: [{ basis: 'WEIGHT', price: '1', ...input }] });
    expect(await method({ rates: [] })).toEqual(['REQUIRED rates']);
    expect(await rate({ from: '5', to: '5' })).toEqual(['MALFORMED rates.0.to']);
    expect(await rate({ from: '0.5' })).toEqual(['MALFORMED rates.0.from']);
    expect(await rate({ price: '-1' })).toEqual(['TOO_SMALL rates.0.price']);
    expect(await rate({ price: '0.001' })).toEqual(['TOO_MANY_DECIMALS rates.0.price']);
    expect(await rate({ basis: 'SUBTOTAL', to: '0.001' })).toEqual(['TOO_MANY_DECIMALS rates.0.to']);
    expect(await method({ rates: [{ basis: 'WEIGHT', price: '1' }], freeFrom: '-1' })).toEqual(['TOO_SMALL freeFrom']);
    const rates = [{ basis: 'WEIGHT', price: '1' }];
    expect(await method({ rates, zoneId: zone.id.replace(/.{4}$/, 'AAAA') })).toHaveLength(1);
    await call('shippingZoneDelete', { id: zone.id });
    expect(await refused('shippingMethodCreate', { zoneId: zone.id, title: 'Post', rates })).toEqual([
      'NOT_FOUND zoneId',
    ]);
  });
});

describe('taxes', () => {
  test('have one default category, and rates with exact percentages', async () => {
    const standard = await done('taxCategoryCreate', { code: 'standard', name: 'Standard', isDefault: true });
    const reduced = await done('taxCategoryCreate', { code: 'reduced', name: 'Reduced', isDefault: true });
    const list = await staff.client.data<{ taxCategories: object[] }>('{ taxCategories { code isDefault } }');
    expect(list.taxCategories).toEqual([
      { code: 'reduced', isDefault: true },
      { code: 'standard', isDefault: false },
    ]);
    expect(await refused('taxCategoryCreate', { code: 'reduced', name: 'Other' })).toEqual(['CONFLICT code']);
    expect(await refused('taxCategoryCreate', { code: 'Re duced', name: '' })).toEqual([
      'MALFORMED code',
      'REQUIRED name',
    ]);

    const zone = await done('shippingZoneCreate', { name: named('zone'), regions: ['US-CA'] });
    const given = {
      zoneId: zone.id,
      taxCategoryId: standard.id,
      title: 'Sales tax',
      validFrom: '2026-01-01T00:00:00Z',
    };
    const rate = await done('taxRateCreate', { ...given, percent: '8.875' });
    expect(rate).toMatchObject({
      percent: '8.875',
      validFrom: '2026-01-01T00:00:00.000Z',
      category: { code: 'standard' },
    });
    for (const [percent, shown] of [
      ['0', '0'],
      ['100.0000', '100'],
      ['0.0001', '0.0001'],
      ['19.00000', '19'],
    ] as const) {
      expect((await done('taxRateUpdate', { id: rate.id, percent })).percent).toBe(shown);
    }
    for (const [percent, fault] of [
      ['-1', 'TOO_SMALL'],
      ['100.0001', 'TOO_LARGE'],
      ['0.00001', 'MALFORMED'],
    ] as const) {
      expect(await refused('taxRateCreate', { ...given, percent })).toEqual([`${fault} percent`]);
    }
    expect(await refused('taxRateCreate', { ...given, percent: '7' })).toEqual(['CONFLICT validFrom']);
    // Without a time it begins now.
    const now = await done('taxRateCreate', { ...given, percent: '7', validFrom: null });
    expect(Math.abs(Date.parse(String(now.validFrom)) - Date.now())).toBeLessThan(600_000);
    expect((await recordedOf(shop, rowId(rate.id)))[1]).toEqual(['TAX_RATE_UPDATED', ['percent: 8.875 → 0']]);
    expect(await changesOf(now.id)).toEqual(['TAX']);
    expect((await call('taxRateDelete', { id: now.id })).result).toBe(now.id);
    // With the zone go its rates; with the category, too.
    await call('shippingZoneDelete', { id: zone.id });
    expect(await refused('taxRateDelete', { id: rate.id })).toEqual(['NOT_FOUND id']);
    for (const { id } of [standard, reduced]) expect((await call('taxCategoryDelete', { id })).result).toBe(id);
  });

  test('do not apply to a user whom staff exempted, with a note that staff alone read', async () => {
    const ada = await newPerson(shop);
    const { userId } = ada;
    const user = await done('userTaxExemptionSet', { userId, exempt: true, note: 'Certificate 42' });
    expect(user).toEqual({ id: userId, taxExempt: true, taxExemptNote: 'Certificate 42' });
    expect(await ada.client.data('{ me { taxExempt taxExemptNote } }')).toEqual({
      me: { taxExempt: true, taxExemptNote: null },
    });
    await done('userTaxExemptionSet', { userId, exempt: false });
    expect((await recordedOf(shop, rowId(userId))).filter(([kind]) => kind === 'USER_TAX_EXEMPTION_SET')).toEqual([
      ['USER_TAX_EXEMPTION_SET', ['exempt: - → true', 'note: - → Certificate 42']],
      ['USER_TAX_EXEMPTION_SET', ['exempt: true → -', 'note: Certificate 42 → -']],
    ]);
  });
});

test('the version of prices rises with every change, so that processes forget what they keep', async () => {
  const version = async () =>
    (await shop.db.query<{ version: bigint }>({ text: 'SELECT version FROM pricing_version' }))[0]?.version;
  const before = await version();
  const zone = await done('shippingZoneCreate', { name: named('zone'), countries: ['FI'] });
  await call('shippingZoneDelete', { id: zone.id });
  expect(await version()).toBeGreaterThan(known(before));
});

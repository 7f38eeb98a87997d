import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const BERLIN = { name: 'Ada', line1: '1 Straße', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };
const BOSTON = { ...BERLIN, line1: '2 Street', city: 'Boston', region: 'MA', postalCode: '02108', countryCode: 'US' };

interface Entry {
  id: string;
  isDefault: boolean;
  address: { city: string; region: string | null };
}
interface Answer {
  address?: Entry | null;
  deletedId?: string | null;
  errors: { code: string; reason: string | null; path: string[] | null; limit?: number }[];
}

const ENTRY = 'id isDefault address { city region }';

async function call(person: Person, field: string, input: object): Promise<Answer> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const result = field === 'addressDelete' ? 'deletedId' : `address { ${ENTRY} }`;
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) {
    ${result} errors { code reason path ... on LimitExceededError { limit } } } }`;
  return known((await person.client.data<Record<string, Answer>>(document, { input }))[field]);
}

async function listOf(person: Person): Promise<Entry[]> {
  const { me } = await person.client.data<{ me: { addresses: Entry[] } }>(`{ me { addresses { ${ENTRY} } } }`);
  return me.addresses;
}

const citiesOf = async (person: Person) =>
  (await listOf(person)).map(({ address, isDefault }) => `${address.city}${isDefault ? ' *' : ''}`);

const faultsOf = ({ errors }: Answer) => errors.map(({ code, reason, path }) => [code, reason, path?.join('.')]);

async function create(person: Person, address: object, isDefault?: boolean): Promise<Entry> {
  const { address: entry, errors } = await call(person, 'addressCreate', { address, isDefault });
  expect(errors).toEqual([]);
  return known(entry);
}

describe('the address book', () => {
  test('keeps addresses, the first of them as the default one', async () => {
    const ada = await newPerson(shop);
    expect(await listOf(ada)).toEqual([]);
    expect(await create(ada, BERLIN)).toMatchObject({ isDefault: true, address: { city: 'Berlin', region: null } });
    expect(await create(ada, BOSTON)).toMatchObject({ isDefault: false, address: { city: 'Boston', region: 'MA' } });
    await create(ada, { ...BERLIN, city: 'Potsdam', postalCode: '14467' }, true);
    expect(await citiesOf(ada)).toEqual(['Potsdam *', 'Boston', 'Berlin']);
  });

  test('replaces an address as a whole', async () => {
    const ada = await newPerson(shop);
    const { id } = await create(ada, BOSTON);
    const { address } = await call(ada, 'addressUpdate', { id, address: BERLIN });
    expect(address).toEqual({ id, isDefault: true, address: { city: 'Berlin', region: null } });
    expect(await listOf(ada)).toEqual([address]);
  });

  test('changes its default address, and does without one', async () => {
    const ada = await newPerson(shop);
    await create(ada, BERLIN);
    const { id } = await create(ada, BOSTON);
    expect((await call(ada, 'defaultAddressSet', { id })).address).toMatchObject({ id, isDefault: true });
    expect(await citiesOf(ada)).toEqual(['Boston *', 'Berlin']);
    expect(await call(ada, 'defaultAddressSet', { id: null })).toEqual({ address: null, errors: [] });
    expect(await citiesOf(ada)).toEqual(['Boston', 'Berlin']);
    await call(ada, 'defaultAddressSet', { id });
    expect(await call(ada, 'addressDelete', { id })).toEqual({ deletedId: id, errors: [] });
    expect(await citiesOf(ada)).toEqual(['Berlin']);
  });

  test('checks addresses by the rules of their country', async () => {
    const ada = await newPerson(shop);
    const { id } = await create(ada, BERLIN);
    const wrong = { ...BOSTON, region: null, postalCode: 'x' };
    await changingNothing(shop, async () => {
      for (const answer of [
        await call(ada, 'addressCreate', { address: wrong }),
        await call(ada, 'addressUpdate', { id, address: wrong }),
      ]) {
        expect(faultsOf(answer)).toEqual([
          ['ADDRESS_INVALID', 'REQUIRED', 'address.region'],
          ['ADDRESS_INVALID', 'POSTAL_CODE_INVALID', 'address.postalCode'],
        ]);
      }
    });
  });

  test("is nobody else's to read or change, not even for staff", async () => {
    const ada = await newPerson(shop);
    const { id } = await create(ada, BERLIN);
    for (const other of [await newPerson(shop), await newStaff(shop)]) {
      await changingNothing(shop, async () => {
        const missing = [['NOT_FOUND', null, 'id']];
        expect(faultsOf(await call(other, 'addressUpdate', { id, address: BOSTON }))).toEqual(missing);
        expect(faultsOf(await call(other, 'addressDelete', { id }))).toEqual(missing);
        expect(faultsOf(await call(other, 'defaultAddressSet', { id }))).toEqual(missing);
      });
      expect(await other.client.data('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null });
    }
  });

  test('holds fifty addresses and one default at most, however many calls come at once', async () => {
    const ada = await newPerson(shop);
    const answers = await Promise.all(
      Array.from({ length: 55 }, () => call(ada, 'addressCreate', { address: BERLIN, isDefault: true })),
    );
    const refused = answers.filter(({ errors }) => errors.length > 0);
    expect(refused.map(({ errors }) => [errors[0]?.code, errors[0]?.limit])).toEqual(
      Array.from({ length: 5 }, () => ['LIMIT_EXCEEDED', 50]),
    );
    const entries = await listOf(ada);
    expect(entries).toHaveLength(50);
    await Promise.all(entries.map(({ id }) => call(ada, 'defaultAddressSet', { id })));
    expect((await listOf(ada)).filter(({ isDefault }) => isDefault)).toHaveLength(1);
  });
});

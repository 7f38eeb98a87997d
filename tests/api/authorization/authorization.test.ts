import { isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../../src/graphql/schema.ts';
import type { Answer } from '../../support/client.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { watchSilentWrites, type SilentWrites } from '../../support/silent-writes.ts';
import { changingNothing } from '../../support/state.ts';
import { guarded, operations, reachedBySubscription, subscriptions, type Row } from './table.ts';
import { everybody, setScene, type Scene, type Who } from './world.ts';

let shop: QuietShop;
let silent: SilentWrites;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  silent = await watchSilentWrites(shop);
});
afterAll(() => shop.dispose());

/** Aliased, so that the answer looks the same whatever is asked; what stands beside it is to be answered in any case. */
function documentOf(name: string, { ask, declare }: Row): string {
  const kind = name.startsWith('Mutation.') ? 'mutation' : 'query';
  const beside = kind === 'query' ? 'beside: shop { name }' : 'beside: __typename';
  return `${kind} Asked${declare === undefined ? '' : `(${declare})`} { before: __typename asked: ${ask} ${beside} }`;
}

function valueAt(asked: unknown, at: string | undefined): unknown {
  if (at === undefined) return asked;
  return (asked as Record<string, unknown> | null | undefined)?.[at];
}

/** What became of it, as the answer tells. */
function outcomeOf({ at }: Row, { data, errors, codes }: Answer<Record<string, unknown>>): string {
  const value = valueAt(data?.asked, at);
  if (errors !== undefined) {
    const places = errors.map((error) => error.path?.join('.'));
    const place = at === undefined ? 'asked' : `asked.${at}`;
    return places.every((path) => path === place) && value === null
      ? codes.join()
      : `${codes.join()} at ${places.join()}`;
  }
  const faults = (value as { errors?: { code: string }[] } | null)?.errors ?? [];
  if (faults.length > 0) return `refused ${faults.map((fault) => fault.code).join()}`;
  return value === null || value === undefined ? 'hidden' : 'done';
}

const rows = Object.entries({ ...operations, ...guarded });

/** Scenes of calls that only read, by caller: what one of them is given does not change what another one gets. */
const readers = new Map<Who, Promise<Scene>>();

function sceneFor(name: string, who: Who): Promise<Scene> {
  if (name.startsWith('Mutation.')) return setScene(shop, who);
  const scene = readers.get(who) ?? setScene(shop, who);
  readers.set(who, scene);
  return scene;
}

describe('what each caller gets of', () => {
  test.each(rows)('%s', async (name, row) => {
    const besides = name.startsWith('Mutation.') ? 'Mutation' : { name: 'Vitrine' };
    async function prepare(who: Who) {
      const scene = await sceneFor(name, who);
      const variables = (await row.given?.(scene)) ?? {};
      return async () => {
        const answer = await scene.caller.execute(documentOf(name, row), variables);
        expect(answer.data, who).toMatchObject({ beside: besides });
        return [who, outcomeOf(row, answer)] as const;
      };
    }
    const outcomes: (readonly [Who, string])[] = [];
    const denied: (() => Promise<readonly [Who, string]>)[] = [];
    for (const who of everybody) if (row.as[who] !== 'done') denied.push(await prepare(who));
    await changingNothing(shop, async () => {
      for (const ask of denied) outcomes.push(await ask());
    });
    for (const who of everybody) {
      if (row.as[who] !== 'done') continue;
      const ask = await prepare(who);
      await silent.forget();
      outcomes.push(await ask());
      // Without its event a change of the catalogue would not reach answers that nodes keep in memory.
      expect(await silent.found(), who).toEqual([]);
    }
    expect(Object.fromEntries(outcomes)).toEqual(row.as);
  });
});

describe.each(Object.entries(subscriptions))('%s', (_name, { as, ask }) => {
  test.each(everybody.map((who) => [who, as[who]] as const))('as %s: %s', async (who, outcome) => {
    const { caller } = await setScene(shop, who);
    const { headers } = caller;
    const stream = await openEventStream(shop.url, `subscription { asked: ${ask} }`, headers());
    if (outcome === 'done') {
      // It goes on until the client goes: a refusal would have been told first, and have ended it.
      stream.close();
      expect(await stream.ended).toBe(false);
      expect(stream.status).toBe(200);
    } else {
      const { data } = await stream.events.take();
      expect(data?.errors?.map((error) => error.extensions?.code)).toEqual([outcome]);
    }
  });
});

test.each([
  ['products', "UPDATE products SET title = title || '!'"],
  ['product_variants', 'UPDATE product_variants SET price_minor = price_minor + 1'],
  ['product_variants', 'UPDATE product_variants SET on_hand = on_hand + 1'],
  ['categories', "INSERT INTO categories (id, slug, name) VALUES (gen_random_uuid(), 'silent', 'Silent')"],
])('a write without its event is noticed: %s', async (table, sql) => {
  await makeVariant(shop);
  await silent.forget();
  await shop.db.query({ text: sql });
  expect((await silent.found())[0]).toContain(table);
});

describe('the table', () => {
  test('has a row for every operation', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const names = roots.flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect(names.length).toBeGreaterThan(20);
    expect([...Object.keys(operations), ...Object.keys(subscriptions)].toSorted()).toEqual(names.toSorted());
  });

  test('has a row for every type and field that is guarded', () => {
    const guards: string[] = [];
    const isGuarded = (item: { extensions: Readonly<Record<string, unknown>> }) =>
      (item.extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes !== undefined;
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      if (isGuarded(type)) guards.push(type.name);
      for (const field of Object.values(type.getFields())) {
        if (isGuarded(field)) guards.push(`${type.name}.${field.name}`);
      }
    }
    expect(guards.length).toBeGreaterThan(5);
    const known = new Set([
      ...Object.keys(operations),
      ...Object.keys(guarded),
      ...Object.keys(subscriptions),
      ...reachedBySubscription,
    ]);
    expect(guards.filter((name) => !known.has(name))).toEqual([]);
  });
});

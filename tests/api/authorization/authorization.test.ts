import { isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../../src/graphql/schema.ts';
import { newPerson, type Person } from '../../support/accounts.ts';
import type { Answer } from '../../support/client.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
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

/** The outcome, according to the answer. */
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

/** Scenes with one owner, by caller: for those who only read or are denied, and so change nothing that another one gets. */
let standing: Record<Who, Scene>;
beforeAll(async () => {
  const owner = await newPerson(shop);
  const scenes = await Promise.all(everybody.map(async (who) => [who, await setScene(shop, who, owner)] as const));
  standing = Object.fromEntries(scenes) as Record<Who, Scene>;
});

/**
 * Callers whose account an operation may change get an account of their own; what staff alone may do is about something else. The
 * customer of the scene is another one only where the caller is that customer, or the row says so.
 */
async function sceneFor(name: string, { as, changesOwner = false }: Row, who: Who): Promise<Scene> {
  const concernsCallers = name.startsWith('Mutation.') && [as.guest, as.customer, as.another].includes('done');
  if (as[who] !== 'done' || !concernsCallers) return standing[who];
  return setScene(shop, who, who === 'customer' || changesOwner ? undefined : standing[who].owner);
}

/** What was made, as variables, and not used up yet, by owner. */
type Made = Map<Person, Record<string, unknown>>;

/** Makes what a row is about, as the variables of each caller: once for a scene's owner, unless it is about the caller. */
async function give({ given }: Row, scenes: readonly Scene[], made: Made): Promise<Record<string, unknown>[]> {
  return inTurn(scenes, async (scene) => {
    const before = made.get(scene.owner);
    if (before !== undefined) return before;
    let isAboutCaller = false;
    const watched: Scene = {
      ...scene,
      get caller() {
        isAboutCaller = true;
        return scene.caller;
      },
    };
    const variables = (await given?.(watched)) ?? {};
    if (!isAboutCaller) made.set(scene.owner, variables);
    return variables;
  });
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

describe('what each caller gets of', () => {
  test.each(rows)('%s', async (name, row) => {
    const isMutation = name.startsWith('Mutation.');
    const made: Made = new Map();
    const besides = isMutation ? 'Mutation' : { name: 'Vitrine' };
    /** Makes what the row is about, and gives what asks for it. */
    async function prepare(callers: readonly Who[]) {
      const scenes = await Promise.all(callers.map((who) => sceneFor(name, row, who)));
      const variables = await give(row, scenes, made);
      return async () => {
        const outcomes = await inTurn([...callers.entries()], async ([index, who]) => {
          const answer = await known(scenes[index]).caller.execute(documentOf(name, row), variables[index]);
          expect(answer.data, who).toMatchObject({ beside: besides });
          return [who, outcomeOf(row, answer)] as const;
        });
        return Object.fromEntries(outcomes);
      };
    }
    const denied = everybody.filter((who) => row.as[who] !== 'done');
    const allowed = everybody.filter((who) => row.as[who] === 'done');
    const outcomes = denied.length === 0 ? {} : await changingNothing(shop, await prepare(denied));
    // Who was denied changed nothing of what the row is about, and left it to the first who is allowed. A mutation uses it up.
    for (const callers of isMutation ? allowed.map((who) => [who]) : [allowed]) {
      const ask = await prepare(callers);
      await silent.forget();
      Object.assign(outcomes, await ask());
      if (isMutation) made.clear();
      // Without its event a change of the catalogue would not reach answers that nodes keep in memory.
      expect(await silent.found(), callers.join()).toEqual([]);
    }
    expect(outcomes).toEqual(row.as);
  });
});

describe.each(Object.entries(subscriptions))('%s', (_name, { as, ask }) => {
  test.each(everybody.map((who) => [who, as[who]] as const))('as %s: %s', async (who, outcome) => {
    const { headers } = standing[who].caller;
    const stream = await openEventStream(shop.url, `subscription { asked: ${ask} }`, headers());
    if (outcome === 'done') {
      // It goes on until the client leaves: a refusal would have come first, and have ended it.
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
    const listed = new Set([
      ...Object.keys(operations),
      ...Object.keys(guarded),
      ...Object.keys(subscriptions),
      ...reachedBySubscription,
    ]);
    expect(guards.filter((name) => !listed.has(name))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { buildSchema, findBreakingChanges, findDangerousChanges, lexicographicSortSchema, printSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { membersOf } from '../support/coordinates.ts';

// Copies of the contract that clients rely on.
const contractText = ['api-contract.graphql', 'api-contract-prices.graphql', 'api-contract-payments.graphql']
  .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  .join('\n');
const contract = buildSchema(contractText);

describe('the contract', () => {
  const ours = new Map(membersOf(schema).map((member) => [member.coordinate, member]));

  test('is kept', () => {
    const named = membersOf(contract).map((member) => member.coordinate);
    expect(named.length).toBeGreaterThan(300);
    expect(named.filter((coordinate) => !ours.has(coordinate))).toEqual([]);
  });

  test('is not broken by what is there', () => {
    expect(findBreakingChanges(contract, schema)).toEqual([]);
    const added = new Set<string>([
      'VALUE_ADDED_TO_ENUM',
      'OPTIONAL_ARG_ADDED',
      'OPTIONAL_INPUT_FIELD_ADDED',
      'IMPLEMENTED_INTERFACE_ADDED',
    ]);
    expect(findDangerousChanges(contract, schema).filter((change) => !added.has(change.type))).toEqual([]);
  });

  test('has the same types, nullability and defaults', () => {
    const different = membersOf(contract).flatMap(({ coordinate, signature }) => {
      const member = ours.get(coordinate);
      return member === undefined || member.signature === signature
        ? []
        : [{ coordinate, contract: signature, schema: member.signature }];
    });
    expect(different).toEqual([]);
  });
});

describe('the schema', () => {
  test('describes everything in it', () => {
    const members = membersOf(schema);
    const bare = members.filter(
      ({ description }) => description === null || description === undefined || description.trim() === '',
    );
    expect(bare.map((member) => member.coordinate)).toEqual([]);
    expect(members.length).toBeGreaterThan(200);
  });

  // See docs/STYLE.md.
  test('describes everything in sentences that stand on their own', () => {
    const sentences = /^[A-Z\d`].*\.$/s;
    const standIn = /^(It|Its|What|Who|Whose|Which|Where|When|Why)\b/;
    const dialect = /\b(told|whoever|likewise|anew|e-mail|log-in|\(staff\)|\(admin\))/i;
    const unclear = membersOf(schema).filter(
      ({ description }) =>
        !sentences.test(description ?? '') || standIn.test(description ?? '') || dialect.test(description ?? ''),
    );
    expect(unclear.map(({ coordinate, description }) => `${coordinate}: ${description}`)).toEqual([]);
  });

  test('is the one that is committed', () => {
    const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
    expect(committed).toBe(`${printSchema(lexicographicSortSchema(schema))}\n`);
  });
});

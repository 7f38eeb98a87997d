import { readFileSync } from 'node:fs';
import {
  buildASTSchema,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  lexicographicSortSchema,
  parse,
  printSchema,
  visit,
  type ASTVisitFn,
  type DocumentNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  type TypeDefinitionNode,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { membersOf, parentOf } from '../support/coordinates.ts';

// A copy of the contract that clients rely on. What the schema does not have yet is listed below, by the issue that brings
// it: the list may only shrink.
const contractText = readFileSync(new URL('api-contract.graphql', import.meta.url), 'utf8');
const contract = buildSchema(contractText);

const PENDING: readonly string[] = Object.values({
  'accounts, beyond sessions': `
    PasswordResetInput PasswordResetRequestInput PasswordResetRequestPayload Mutation.passwordReset
    Mutation.passwordResetRequest`,
}).flatMap((coordinates) => coordinates.trim().split(/\s+/));
const pending = new Set(PENDING);

/** The contract without what is pending. */
function presentContract(): DocumentNode {
  const drop = (coordinate: string) => (pending.has(coordinate) ? null : undefined);
  const type = { enter: (node: TypeDefinitionNode) => drop(node.name.value) };
  const member: ASTVisitFn<FieldDefinitionNode | EnumValueDefinitionNode> = (node, _key, _parent, _path, ancestors) =>
    drop(`${nameOf(ancestors.at(-1))}.${node.name.value}`);
  return visit(parse(contractText), {
    ObjectTypeDefinition: type,
    InterfaceTypeDefinition: type,
    InputObjectTypeDefinition: type,
    EnumTypeDefinition: type,
    ScalarTypeDefinition: type,
    FieldDefinition: { enter: member },
    EnumValueDefinition: { enter: member },
    InputValueDefinition: {
      // An argument's owner is a field, and a type is above that; an input field's is its type.
      enter: (node, _key, _parent, _path, ancestors) => {
        const [owner, above] = [nameOf(ancestors.at(-1)), nameOf(ancestors.at(-3))];
        return drop(above === '' ? `${owner}.${node.name.value}` : `${above}.${owner}(${node.name.value}:)`);
      },
    },
  });
}

function nameOf(node: unknown): string {
  return (node as { name?: { value?: string } } | undefined)?.name?.value ?? '';
}

describe('the contract', () => {
  const ours = new Map(membersOf(schema).map((member) => [member.coordinate, member]));

  test('is kept, but for what later issues bring', () => {
    const missing = membersOf(contract)
      .map((member) => member.coordinate)
      .filter((coordinate) => !ours.has(coordinate));
    const known = new Set(missing);
    // A type that is missing is named once, not with each of its members.
    const topmost = missing.filter((coordinate) => !known.has(parentOf(coordinate) ?? ''));
    expect(topmost.toSorted()).toEqual(PENDING.toSorted());
  });

  test('is not broken by what is there', () => {
    const present = buildASTSchema(presentContract());
    expect(findBreakingChanges(present, schema)).toEqual([]);
    const added = new Set<string>([
      'VALUE_ADDED_TO_ENUM',
      'OPTIONAL_ARG_ADDED',
      'OPTIONAL_INPUT_FIELD_ADDED',
      'IMPLEMENTED_INTERFACE_ADDED',
    ]);
    expect(findDangerousChanges(present, schema).filter((change) => !added.has(change.type))).toEqual([]);
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

  test('is the one that is committed', () => {
    const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
    expect(committed).toBe(`${printSchema(lexicographicSortSchema(schema))}\n`);
  });
});

import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { text, type Random } from './random.ts';

/** An operation as a client sends it. */
export interface Operation {
  query: string;
  variables: Record<string, unknown>;
}

/** IDs that the shop gave, by which operations come to things that are there. */
export type KnownIds = readonly string[];

/** In a text of GraphQL a variable stands where its value was. */
class Variable {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const ENDS_SESSIONS = /^(log[oO]ut|session|password|account|userRole|user)/;

const NUMBERS = [
  0, 1, 2, 20, 100, 101, -1, 2_147_483_647, -2_147_483_648, 2_147_483_648, 1e21, 1.5, 9_007_199_254_740_992,
];
const DECIMALS = ['0', '1', '9.99', '-1', '0.001', '1e5', '99999999999999999999', 'x', '', ' 1 ', '٣', '0x10'];
const DATES = [
  '2026-11-28T12:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-13-01T00:00:00Z',
  'now',
  '',
];

/** Makes operations of a schema: those that fit it, and with `wild` now and then a value that does not. */
export function createOperations(schema: GraphQLSchema) {
  function value(random: Random, type: GraphQLInputType, ids: KnownIds, depth: number): unknown {
    if (isNonNullType(type)) return value(random, type.ofType, ids, depth);
    if (random.chance(0.01)) return random.pick([null, {}, [], 'x', 1, true]);
    if (isListType(type)) {
      const length = random.pick([0, 1, 1, 2, 3, 120]);
      return Array.from({ length }, () => value(random, type.ofType, ids, depth + 1));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      if (depth > 6) return {};
      return Object.fromEntries(
        Object.values(type.getFields())
          .filter((field) => isNonNullType(field.type) || random.chance(0.5))
          .map((field) => [field.name, value(random, field.type, ids, depth + 1)]),
      );
    }
    switch (getNamedType(type).name) {
      case 'Int':
      case 'Float':
        return random.pick(NUMBERS);
      case 'Boolean':
        return random.chance(0.5);
      case 'ID':
        return id(random, ids);
      case 'Decimal':
        return random.pick(DECIMALS);
      case 'DateTime':
        return random.pick(DATES);
      default:
        return random.chance(0.2) ? id(random, ids) : text(random);
    }
  }

  function id(random: Random, ids: KnownIds): string {
    if (ids.length > 0 && random.chance(0.6)) return random.pick(ids);
    const type = random.pick([...Object.keys(schema.getTypeMap()), 'Nothing', '']);
    const row = random.pick(['00000000-0000-0000-0000-000000000000', '0', 'x', '', '\u0000', '1e3']);
    return random.chance(0.8) ? Buffer.from(`${type}:${row}`).toString('base64') : text(random);
  }

  return function operation(random: Random, kind: 'query' | 'mutation' | 'subscription', ids: KnownIds): Operation {
    const root = schema.getRootType(kind as never) as GraphQLObjectType;
    const variables: Record<string, unknown> = {};
    const declarations: string[] = [];
    let budget = 40;

    function argument(arg: GraphQLArgument): string {
      const given = value(random, arg.type, ids, 0);
      if (random.chance(0.5)) return `${arg.name}: ${literal(given, arg.type)}`;
      const name = `v${declarations.length}`;
      declarations.push(`$${name}: ${String(arg.type)}`);
      if (!random.chance(0.03)) variables[name] = given;
      return `${arg.name}: ${literal(new Variable(name), arg.type)}`;
    }

    function selection(type: GraphQLCompositeType, depth: number): string {
      const parts = ['__typename'];
      if (isAbstractType(type)) {
        for (const possible of schema.getPossibleTypes(type)) {
          if (random.chance(0.4)) parts.push(`... on ${possible.name} ${selection(possible, depth + 1)}`);
        }
      }
      if (!('getFields' in type)) return `{ ${parts.join(' ')} }`;
      for (const field of Object.values(type.getFields())) {
        if (budget <= 0 || !random.chance(0.35)) continue;
        budget -= 1;
        parts.push(fieldText(field.name, field.args, field.type, depth));
      }
      return `{ ${parts.join(' ')} }`;
    }

    function fieldText(name: string, args: readonly GraphQLArgument[], type: unknown, depth: number): string {
      const given = args.filter((arg) => isNonNullType(arg.type) || random.chance(0.4)).map(argument);
      const named = getNamedType(type as never);
      const alias = random.chance(0.1) ? `a${budget}: ` : '';
      const directive = random.chance(0.03)
        ? ` @${random.pick(['skip', 'include', 'deprecated', 'x'])}(if: ${random.pick(['true', 'false', 'null', '$no'])})`
        : '';
      const call = `${alias}${name}${given.length > 0 ? `(${given.join(', ')})` : ''}${directive}`;
      if (isLeafType(named) || !isCompositeType(named)) return call;
      return `${call} ${depth > 5 ? '{ __typename }' : selection(named, depth + 1)}`;
    }

    // What ends sessions is asked for seldom, or soon nobody would be logged in.
    const all = Object.values(root.getFields());
    const fields = random.chance(0.02) ? all : all.filter(({ name }) => !ENDS_SESSIONS.test(name));
    const chosen = Array.from({ length: kind === 'query' ? 1 + random.below(3) : 1 }, () => random.pick(fields));
    const texts = chosen.map(
      (field, i) => (chosen.length > 1 ? `r${i}: ` : '') + fieldText(field.name, field.args, field.type, 0),
    );
    const head = declarations.length > 0 ? ` F(${declarations.join(', ')})` : '';
    return { query: `${kind}${head} { ${texts.join(' ')} }`, variables };
  };
}

/** A value in GraphQL's own notation. */
function literal(value: unknown, type: GraphQLInputType): string {
  const plain = getNullableType(type);
  if (value instanceof Variable) return `$${value.name}`;
  if (Array.isArray(value)) {
    const of = isListType(plain) ? plain.ofType : plain;
    return `[${value.map((item) => literal(item, of)).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = isInputObjectType(plain) ? plain.getFields() : {};
    const parts = Object.entries(value).map(([name, item]) => `${name}: ${literal(item, fields[name]?.type ?? plain)}`);
    return `{ ${parts.join(', ')} }`;
  }
  if (typeof value === 'string' && isEnumType(plain)) return value;
  return JSON.stringify(value);
}

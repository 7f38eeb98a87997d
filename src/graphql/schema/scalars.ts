import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { decodeCursor } from '../../events/cursor.ts';
import { builder } from './builder.ts';
import { parseInstant } from './instant.ts';

/** A scalar whose input is a string that `parse` accepts. Error messages name the scalar, never its value. */
function textScalar<T>(options: {
  name: 'DateTime' | 'Decimal' | 'EventCursor' | 'CurrencyCode';
  description: string;
  specifiedByURL?: string;
  expects: string;
  parse: (text: string) => T | null;
  serialize: (value: unknown) => string;
}): void {
  const { name, description, specifiedByURL, expects, parse, serialize } = options;
  const take = (value: unknown): T => {
    const parsed = typeof value === 'string' ? parse(value) : null;
    if (parsed === null) throw new GraphQLError(`${name} must be ${expects}.`, { extensions: { code: 'BAD_REQUEST' } });
    return parsed;
  };
  builder.addScalarType(
    name,
    new GraphQLScalarType<T, string>({
      name,
      description,
      specifiedByURL: specifiedByURL ?? null,
      serialize,
      parseValue: take,
      parseLiteral: (node) =>
        take(node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT ? node.value : null),
    }),
  );
}

textScalar<Date>({
  name: 'DateTime',
  description: 'A point in time, in ISO 8601 format and UTC.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  expects: 'an instant with a time zone, e.g. "2026-01-31T12:00:00Z"',
  parse: parseInstant,
  serialize: (value) => (value as Date).toISOString(),
});

textScalar<string>({
  name: 'Decimal',
  description: 'A decimal number as a string, so that no precision is lost; for example `"19.90"`.',
  expects: 'a decimal number as a string, e.g. "19.90"',
  parse: (text) => (/^-?\d{1,18}(\.\d{1,18})?$/.test(text) ? text : null),
  serialize: String,
});

textScalar<string>({
  name: 'EventCursor',
  description: 'A position in the event log of the shop. The format is opaque, and no cursor is ever reused.',
  expects: 'a cursor of this shop',
  parse: (text) => (text.length <= 100 && decodeCursor(text) !== null ? text : null),
  serialize: String,
});

textScalar<string>({
  name: 'CurrencyCode',
  description: 'An ISO 4217 currency code, for example `EUR`.',
  expects: 'three capital letters',
  parse: (text) => (/^[A-Z]{3}$/.test(text) ? text : null),
  serialize: String,
});

import { z } from 'zod';
import type { EventType, StoredEvent } from './event.ts';

const OPERATORS = ['==', '!=', '<', '<=', '>', '>='] as const;
type Operator = (typeof OPERATORS)[number];

/** The fields that every payload has. */
type Field<Payload> = {
  [Name in keyof Payload & string]-?: undefined extends Payload[Name] ? never : Name;
}[keyof Payload & string];

/** The fields whose values can be compared with those of another one. */
type Comparable<Payload, Name extends keyof Payload> = {
  [Other in Field<Payload>]: Payload[Other] extends Payload[Name] ? Other : never;
}[Field<Payload>];

/** What a field of a payload has to be: compared with a value or with another field, or one of several values. */
export type Condition<Payload> = {
  [Name in Field<Payload>]:
    | readonly [field: Name, operator: Operator, operand: Payload[Name] | { field: Comparable<Payload, Name> }]
    | readonly [field: Name, operator: 'in', operand: readonly Payload[Name][]];
}[Field<Payload>];

/** Which events of a type a consumer reads. */
export interface Only {
  type: string;
  /** A jsonpath predicate; null for payloads that lack a field, or that have something else in it. */
  path: string;
  /** @throws if the payload is not one of the event's type, so that nobody can say whether the conditions are met */
  assertJudged(event: StoredEvent): void;
}

/**
 * Reads only events whose payloads meet all conditions. An event that cannot be judged, because its payload is not as its type declares, is
 * parked like any other event that cannot be handled.
 * @throws if a condition names a field or value that payloads of the event cannot have
 */
export function onlyIf<Payload extends object>(
  event: EventType<Payload>,
  ...conditions: readonly [Condition<Payload>, ...Condition<Payload>[]]
): Only {
  const { type, schema } = event;
  if (!(schema instanceof z.ZodObject)) throw new Error(`the payload of "${type}" has no fields to compare`);
  const shape = schema.shape as Record<string, z.ZodType>;

  function fieldOf(name: string): z.ZodType {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (field === undefined) throw new Error(`the payload of "${type}" has no field "${name}"`);
    if (field.safeParse(undefined).success) {
      throw new Error(`payloads of "${type}" may lack the field "${name}", so it decides nothing`);
    }
    return field;
  }

  function literal(name: string, value: unknown): string {
    if (fieldOf(name).safeParse(value).success) return JSON.stringify(value);
    throw new Error(`the field "${name}" of "${type}" is never ${JSON.stringify(value)}`);
  }

  function pathOf([name, operator, operand]: readonly [string, string, unknown]): string {
    fieldOf(name);
    if (operator === 'in') {
      if (!Array.isArray(operand) || operand.length === 0) throw new Error(`"in" needs values for the field "${name}"`);
      return `(${operand.map((value) => `$.${name} == ${literal(name, value)}`).join(' || ')})`;
    }
    if (!OPERATORS.some((known) => known === operator)) throw new Error(`"${operator}" is not a valid operator`);
    if (typeof operand !== 'object' || operand === null) return `$.${name} ${operator} ${literal(name, operand)}`;
    const other = String((operand as { field?: unknown }).field);
    fieldOf(other);
    return `$.${name} ${operator} $.${other}`;
  }

  return {
    type,
    // In strict mode, a field that is not there makes the predicate null and not false.
    path: `strict ${conditions.map(pathOf).join(' && ')}`,
    assertJudged: (stored) => void event.read(stored),
  };
}

import { buildSchema, type GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import { declaredLimitsOf } from '../../src/graphql/schema/limited-fields.ts';
import { schema } from '../../src/graphql/schema.ts';

// A mutation that declares nothing fails here: decide whether it needs limits of its own (`extensions: limitedBy(…)` beside the
// field, the limits in the module's *.limits.graphql.ts), or whether the general limit suffices (GENERAL_LIMIT_SUFFICES).

/** Mutations that declare neither limits nor that the general limit suffices. */
function undeclared(of: GraphQLSchema): string[] {
  const fields = Object.values(of.getMutationType()?.getFields() ?? {});
  return fields.filter((field) => declaredLimitsOf(field) === undefined).map(({ name }) => name);
}

const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
const withLimits = fields.filter((field) => typeof declaredLimitsOf(field) === 'object').map(({ name }) => name);

test('each mutation declares its limits, or that the general limit suffices', () => {
  expect(undeclared(schema)).toEqual([]);
  expect(fields.length).toBeGreaterThan(30);
});

test('a mutation that declares nothing is found', () => {
  expect(undeclared(buildSchema('type Query { a: Int } type Mutation { guess: Int }'))).toEqual(['guess']);
});

test('mutations that confirm guesses, make guests, hold units or have mail sent have limits of their own', () => {
  expect(withLimits).toEqual(
    expect.arrayContaining([
      'register',
      'login',
      'refreshSession',
      'passwordChange',
      'passwordResetRequest',
      'passwordReset',
      'emailVerify',
      'emailVerifyRequest',
      'cartCreate',
      'cartLinesAdd',
      'cartLinesUpdate',
      'cartReclaim',
      'cartEmailSet',
      'checkout',
      'orderCancel',
      'stockAlertCreate',
      'stockAlertCancel',
    ]),
  );
});

test('queries have limits in the same way', () => {
  const order = schema.getQueryType()?.getFields()['order'];
  expect(typeof declaredLimitsOf(order ?? { extensions: {} })).toBe('object');
});

import type { UserError } from '../../modules/user-error.ts';
import { builder } from './builder.ts';
import { UserErrorRef } from './user-errors.ts';

/** What every payload has beside its result. */
export interface WithErrors {
  errors: readonly UserError[];
}

/** Description of a payload that is named after its mutation: `CartCreatePayload` is the result of `cartCreate`. */
function resultOf(name: string): string {
  return `Result of \`${name.charAt(0).toLowerCase()}${name.slice(1).replace(/Payload$/, '')}\`.`;
}

/**
 * Declares a mutation's payload, with its errors. The nullable result is added by `builder.objectField`; what the payload
 * holds for it is `Shape`, all of which is left out where the mutation was refused.
 */
export function payloadType<Shape extends object>(name: string, description = resultOf(name)) {
  const ref = builder.objectRef<Partial<Shape> & WithErrors>(name);
  builder.objectType(ref, {
    description,
    fields: (t) => ({
      errors: t.field({
        type: [UserErrorRef],
        nullable: false,
        description: 'Reasons why the mutation did not do all that was requested. Empty if it succeeded.',
        resolve: (payload) => payload.errors,
      }),
    }),
  });
  return ref;
}

import type { UserError } from '../../modules/user-error.ts';
import { builder } from './builder.ts';
import { UserErrorRef } from './user-errors.ts';

/** What every payload has beside its result. */
export interface WithErrors {
  errors: readonly UserError[];
}

/**
 * Declares a mutation's payload, with its errors. The nullable result is added by `builder.objectField`; what the payload
 * holds for it is `Shape`, all of which is left out where the mutation was refused.
 */
export function payloadType<Shape extends object>(name: string, description: string) {
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

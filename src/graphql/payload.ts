import type { UserError } from '../modules/user-error.ts';
import { builder } from './builder.ts';
import { UserErrorRef } from './user-errors.ts';

/** What every payload has beside its result. */
export interface WithErrors {
  errors: readonly UserError[];
}

/**
 * Declares a mutation's payload of one nullable result and the errors.
 * @param result the field of the result: its name, how it is described, and how it is declared
 */
export function payloadType<Shape extends object>(name: string, description: string) {
  const ref = builder.objectRef<Partial<Shape> & WithErrors>(name);
  builder.objectType(ref, {
    description,
    fields: (t) => ({
      errors: t.field({
        type: [UserErrorRef],
        nullable: false,
        description: 'Why it was not done, or not all of it. Empty when all is well.',
        resolve: (payload) => payload.errors,
      }),
    }),
  });
  return ref;
}

import type { Context } from '../../graphql/context/context.ts';
import { renewLoaders } from '../../graphql/context/loaders.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';

/**
 * The payload of a mutation that writes the catalogue, for the user who asks. What the same operation has read before is
 * not true any more, and is read anew.
 */
export function written<T extends object>(ctx: Context, useCase: (actorId: string) => Promise<T>) {
  return orErrors(async () => {
    const result = await useCase(requireUser(ctx).userId);
    renewLoaders(ctx);
    return result;
  });
}

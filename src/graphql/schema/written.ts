import type { Context } from '../context/context.ts';
import { renewLoaders } from '../context/loaders.ts';
import { orErrors } from './user-errors.ts';
import { requireUser } from '../context/viewer.ts';

/**
 * The payload of a mutation by staff, for the user who asks. What the same operation read before the change is read anew.
 */
export function written<T extends object>(ctx: Context, useCase: (actorId: string) => Promise<T>) {
  return orErrors(async () => {
    const result = await useCase(requireUser(ctx).userId);
    renewLoaders(ctx);
    return result;
  });
}

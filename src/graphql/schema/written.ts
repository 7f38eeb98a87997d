import type { Context } from '../context/context.ts';
import { renewLoaders } from '../context/loaders.ts';
import { orErrors } from './user-errors.ts';
import { requireUser } from '../context/viewer.ts';

/**
 * The payload of a mutation by staff, for the user who asks. What the operation reads after the change is read from the database.
 */
export function written<T extends object>(ctx: Context, useCase: (actorId: string) => Promise<T>) {
  return orErrors(async () => {
    const result = await useCase(requireUser(ctx).userId);
    renewLoaders(ctx);
    return result;
  });
}

import { isObjectType, type GraphQLSchema } from 'graphql';
import { toGlobalId } from './global-id.ts';

interface NodeOptions {
  id?: { resolve?: (row: unknown) => unknown };
  authScopes?: unknown;
}

/**
 * Gives IDs of kept types without a promise. Relay's plugin resolves each of them by an asynchronous function, and one promise in an
 * object makes promises of the object, of its list, and of everything around it.
 */
export function withIdsAtHand(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.extensions.keptInMemory !== true) continue;
    const { id: options, authScopes } = (type.extensions.pothosOptions ?? {}) as NodeOptions;
    const field = type.getFields().id;
    const resolve = options?.resolve;
    // The resolver that would be replaced refuses a viewer who may not see the type.
    if (field === undefined || resolve === undefined || authScopes !== undefined) continue;
    const { name } = type;
    field.resolve = (row: unknown) => toGlobalId(name, String(resolve(row)));
  }
  return schema;
}

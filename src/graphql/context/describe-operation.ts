import type { OperationDefinitionNode } from 'graphql';

/** Names an operation in the logs, e.g. `query ProductPage`. The name is the client's, so at most 80 characters are kept. */
export function describeOperation({ operation, name }: OperationDefinitionNode): string {
  return [operation, name?.value.slice(0, 80)].join(' ').trim();
}

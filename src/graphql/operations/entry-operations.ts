import { OperationTypeNode, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { rootFields } from './root-fields.ts';

/** Whether an operation consists of mutations that declare ENTRY: for it, credentials that are not valid count as none. */
export function isEntry(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  if (operation.operation !== OperationTypeNode.MUTATION) return false;
  const mutations = schema.getMutationType()?.getFields() ?? {};
  return [...rootFields(document, operation)].every(
    (name) => name.startsWith('__') || mutations[name]?.extensions['isEntry'] === true,
  );
}

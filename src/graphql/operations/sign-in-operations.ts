import { OperationTypeNode, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import { rootFields } from './root-fields.ts';

/** What somebody asks for who wants to get in, or out: credentials that are good no more must not be in the way. */
const ENTRY_FIELDS = new Set([
  'register',
  'login',
  'refreshSession',
  'logout',
  'passwordResetRequest',
  'passwordReset',
]);

/** Whether an operation asks for nothing but these: for it, a credential that is not valid counts as none. */
export function isEntry(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  if (operation.operation !== OperationTypeNode.MUTATION) return false;
  return [...rootFields(document, operation)].every((name) => ENTRY_FIELDS.has(name) || name.startsWith('__'));
}

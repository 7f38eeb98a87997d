import { OperationTypeNode, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import { rootFields } from './root-fields.ts';

/** Operations to log in and out. They work with expired credentials, too. */
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

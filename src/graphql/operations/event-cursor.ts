import {
  getOperationAST,
  Kind,
  OperationTypeNode,
  visit,
  type ASTNode,
  type DocumentNode,
  type OperationDefinitionNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { EventLog } from '../../events/event-log.ts';
import type { Context } from '../context/context.ts';

const FIELDS: ReadonlySet<string> = new Set(['eventCursor', 'asOf']);

// Yoga keeps parsed documents, so each operation is searched once.
const known = new WeakMap<OperationDefinitionNode, boolean>();

/** Whether an operation selects a field whose value is a position in the log, at any depth, including fragments. */
function asksForCursor(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  let asks = known.get(operation);
  if (asks === undefined) {
    asks = selects(document, operation, new Set());
    known.set(operation, asks);
  }
  return asks;
}

function selects(document: DocumentNode, within: ASTNode, visited: Set<string>): boolean {
  let found = false;
  visit(within, {
    [Kind.FIELD](node) {
      if (FIELDS.has(node.name.value)) found = true;
    },
    [Kind.FRAGMENT_SPREAD]({ name: { value } }) {
      if (visited.has(value)) return;
      visited.add(value);
      for (const definition of document.definitions) {
        const isIt = definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === value;
        if (isIt && selects(document, definition, visited)) found = true;
      }
    },
  });
  return found;
}

/**
 * Reads the log's end before anything of the operation is executed, where it asks for `eventCursor` or `asOf`. The field's
 * resolver would be too late: its siblings may have been read by then, and an event in between would be in neither.
 */
export function useEventCursor({ eventLog }: { eventLog: Pick<EventLog, 'end'> }): Plugin<Context> {
  return {
    // Most operations need not wait: a promise for each of them would cost more than the search.
    onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) return undefined;
      if (!asksForCursor(args.document, operation)) return undefined;
      const context = args.contextValue as Context;
      // An answer from memory has a position of its own.
      if (context.eventCursor !== null) return undefined;
      return eventLog.end().then((end) => {
        context.eventCursor = end;
      });
    },
  };
}

import {
  getOperationAST,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { EventLog } from '../events/event-log.ts';
import type { Context } from './context.ts';

const FIELD = 'eventCursor';

/**
 * Reads the log's end before anything of the operation is executed, where it asks for `eventCursor`. The field's resolver
 * would be too late: its siblings may have been read by then, and an event in between would be in neither.
 */
export function useEventCursor({ eventLog }: { eventLog: Pick<EventLog, 'end'> }): Plugin<Context> {
  // Yoga keeps parsed documents, so that what is found out of one is found again.
  const known = new WeakMap<OperationDefinitionNode, boolean>();

  function asksForCursor(document: DocumentNode, operation: OperationDefinitionNode): boolean {
    let asks = known.get(operation);
    if (asks === undefined) {
      asks = selects(document, operation.selectionSet, new Set());
      known.set(operation, asks);
    }
    return asks;
  }

  return {
    async onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== OperationTypeNode.QUERY || !asksForCursor(args.document, operation)) return;
      const context = args.contextValue as Context;
      context.eventCursor = await eventLog.end();
    },
  };
}

/** Whether the root selects the field, under whatever alias, in fragments too. */
function selects(document: DocumentNode, { selections }: SelectionSetNode, visited: Set<string>): boolean {
  return selections.some((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === FIELD;
    if (selection.kind === Kind.INLINE_FRAGMENT) return selects(document, selection.selectionSet, visited);
    const { value: name } = selection.name;
    if (visited.has(name)) return false;
    visited.add(name);
    return document.definitions.some(
      (definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION &&
        definition.name.value === name &&
        selects(document, definition.selectionSet, visited),
    );
  });
}

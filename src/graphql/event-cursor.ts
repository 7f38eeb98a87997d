import { getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { EventLog } from '../events/event-log.ts';
import type { Context } from './context.ts';
import { rootFields } from './root-fields.ts';

const FIELD = 'eventCursor';

/**
 * Reads the log's end before anything of the operation is executed, where it asks for `eventCursor`. The field's resolver
 * would be too late: its siblings may have been read by then, and an event in between would be in neither.
 */
export function useEventCursor({ eventLog }: { eventLog: Pick<EventLog, 'end'> }): Plugin<Context> {
  return {
    async onExecute({ args }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== OperationTypeNode.QUERY || !rootFields(args.document, operation).has(FIELD)) return;
      const context = args.contextValue as Context;
      context.eventCursor = await eventLog.end();
    },
  };
}

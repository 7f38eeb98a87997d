import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { encodeCursor } from '../../events/cursor.ts';
import type { StreamItem } from '../../events/stream.ts';

/** Where a result keeps the cursor of its event. Clients do not see it. */
const CURSOR = Symbol('cursor');

type EventResult = ExecutionResult & { [CURSOR]?: string };

/** Attaches the cursor of its event to a result. */
export function ofEvent(result: ExecutionResult, { epoch, event }: StreamItem<unknown>): ExecutionResult {
  return Object.assign(result, { [CURSOR]: encodeCursor({ epoch, seq: event.seq }) });
}

/**
 * Gives each event over SSE its cursor as `id:`. An EventSource that is cut off sends it back as `Last-Event-ID`, by
 * itself. Yoga asks a result for its own text, and the fields of an event may stand in any order.
 */
export function useEventIds(): Plugin<{ request?: Request }> {
  return {
    onSubscribe: ({ args }) => {
      // A WebSocket has no request; nothing there has an id beside the payload.
      if ((args.contextValue as { request?: Request }).request === undefined) return undefined;
      return {
        onSubscribeResult: () => ({
          onNext({ result, setResult }) {
            const cursor = (result as EventResult)[CURSOR];
            if (cursor === undefined) return;
            const stringify = (value: unknown) => `${JSON.stringify(value)}\nid: ${cursor}`;
            setResult({ ...result, stringify } as ExecutionResult);
          },
        }),
      };
    },
  };
}

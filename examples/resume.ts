import type { Client, ClientOptions, Sink, SubscribePayload } from 'graphql-ws';
// Copy this file: subscriptions that miss nothing and tell nothing twice, however often the socket is cut off. By itself
// graphql-ws sends the first `after` again when it comes back. How to use it stands in README.md beside it.

/** Has graphql-ws come back after whatever cut it off, the start of a new node included. */
export const COME_BACK = {
  retryAttempts: Infinity,
  shouldRetry: () => true,
  // At random, so that not all clients of a node come back in the same moment; after half a minute at most.
  retryWait: (tries) => new Promise((done) => setTimeout(done, Math.random() * Math.min(30_000, 500 * 2 ** tries))),
} satisfies Partial<ClientOptions>;

export interface ResumeOptions {
  /** CURSOR_EXPIRED: read anew, `eventCursor` in the same query, and give that, to go on after it. Null ends it. */
  onExpired?: (payload: SubscribePayload) => string | null | Promise<string | null>;
  /** Is told what was forgotten; the console unless told otherwise. */
  warn?: (message: string) => void;
}
/** A client whose `subscribe` goes on after the last event, where there is `$after` and `cursor` is selected. */
export function resuming(client: Client, { onExpired, warn = console.warn }: ResumeOptions = {}): Client {
  function subscribe(payload: SubscribePayload, sink: Sink<never>): () => void {
    // graphql-ws sends these again, as they are by then, each time it comes back.
    const variables: Record<string, unknown> = { ...payload.variables };
    let [left, warned] = [false, !/^\s*subscription\b/m.test(payload.query)];
    let stop = () => {};
    function remind(what: string) {
      if (!warned) warn(`Without ${what} a subscription cannot resume: ${payload.query}`);
      warned = true;
    }

    function start() {
      let fault: { errors?: unknown } | undefined; // came before the start; `complete` follows
      const resumable = { ...payload, variables };
      stop = client.subscribe<Record<string, { cursor?: string } | null>>(resumable, {
        next(result) {
          const event = Object.values(result.data ?? {})[0];
          if (event?.cursor !== undefined) variables['after'] = event.cursor;
          else if (event != null) remind('`cursor` in the selection');
          if (event == null && hasCode(result.errors, 'CURSOR_EXPIRED')) fault = result;
          else sink.next(result as never);
        },
        error: (errors) => void recover(errors, () => sink.error(errors)),
        complete() {
          if (fault === undefined) sink.complete();
          else void recover(fault.errors, () => [sink.next(fault as never), sink.complete()]);
        },
      });
    }

    /** Starts again: after the last event where the shop lost patience, after what is read anew where it lost the place. */
    async function recover(errors: unknown, giveUp: () => unknown) {
      const last = variables['after'];
      const lagged = hasCode(errors, 'LAGGED');
      const lost = hasCode(errors, 'CURSOR_EXPIRED') || (lagged && last == null);
      try {
        const next = lost && !left ? await onExpired?.(payload) : lagged ? last : null;
        if (left) sink.complete();
        else if (next == null || (lost && next === last)) giveUp();
        else {
          variables['after'] = next;
          start();
        }
      } catch (error) {
        sink.error(error);
      }
    }

    if (!payload.query.includes('$after')) remind('the variable $after');
    start();
    return () => {
      left = true;
      stop();
    };
  }
  return { ...client, subscribe };
}

function hasCode(errors: unknown, code: string): boolean {
  return Array.isArray(errors) && errors.some((error) => error?.extensions?.code === code);
}

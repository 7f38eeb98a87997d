import type { Client, ClientOptions, Sink, SubscribePayload } from 'graphql-ws';
// Copy this file: subscriptions that miss nothing and repeat nothing, however often they are cut off. By itself graphql-ws
// sends the first `after` again when it reconnects, and ends a subscription at the first error. See README.md beside it.

/** Has graphql-ws reconnect after whatever cut it off, the start of a new node included. */
export const COME_BACK = {
  retryAttempts: Infinity,
  shouldRetry: () => true,
  // At random, so that not all clients of a node come back in the same moment; after half a minute at most.
  retryWait: (tries) => new Promise((done) => setTimeout(done, Math.random() * Math.min(30_000, 500 * 2 ** tries))),
} satisfies Partial<ClientOptions>;

export interface ResumeOptions {
  /** CURSOR_EXPIRED: read anew, with a cursor in the same query, and return that cursor to go on after it. Null ends it. */
  onExpired?: (payload: SubscribePayload) => string | null | Promise<string | null>;
  /**
   * UNAUTHENTICATED: refresh the session, and return true to go on with what the browser has by then, false to end. Called
   * once for all subscriptions that are refused together. Where it throws, it is called again after a while.
   */
  onUnauthenticated?: () => boolean | Promise<boolean>;
  /** Called with what was forgotten; the console by default. */
  warn?: (message: string) => void;
  /** Waits before another try; `COME_BACK.retryWait` by default. */
  wait?: (tries: number) => Promise<void>;
}

/** Errors that say why there is no going on. After every other one the subscription begins again after its last event. */
const FINAL: ReadonlySet<unknown> = new Set([
  ...['BAD_REQUEST', 'FORBIDDEN', 'UNAUTHENTICATED', 'TOO_COSTLY', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED'],
  // Close codes of graphql-ws: the client and the server do not understand each other.
  ...[4004, 4400, 4406, 4409, 4429],
]);
const MAX_REFUSALS = 3;

/** A client whose `subscribe` goes on after the last event, where there is `$after` and `cursor` is selected. */
export function resuming(client: Client, options: ResumeOptions = {}): Client {
  const { onExpired, onUnauthenticated, warn = console.warn, wait = COME_BACK.retryWait } = options;
  let renewing: Promise<boolean> | undefined;

  async function renew(): Promise<boolean> {
    const renewed = (await onUnauthenticated?.()) === true;
    // The credentials of a socket are those that it was opened with: the next one has the new ones.
    if (renewed) client.terminate();
    return renewed;
  }

  function subscribe(payload: SubscribePayload, sink: Sink<never>): () => void {
    // graphql-ws sends these again, as they are by then, each time it reconnects.
    const variables: Record<string, unknown> = { ...payload.variables };
    const isSubscription = /^\s*subscription\b/m.test(payload.query);
    let [left, warned, tries, refusals] = [false, !isSubscription, 0, 0];
    let stop = () => {};
    function remind(what: string) {
      if (!warned) warn(`Without ${what} a subscription cannot resume: ${payload.query}`);
      warned = true;
    }

    function start() {
      let fault: { errors?: unknown } | undefined; // before the start `complete` follows it
      let over = false;
      const end = client.subscribe<Record<string, { cursor?: string } | null>>(
        { ...payload, variables },
        {
          next(result) {
            if (over) return;
            const event = Object.values(result.data ?? {})[0];
            if (event?.cursor !== undefined) variables['after'] = event.cursor;
            else if (event != null && isSubscription) remind('`cursor` in the selection');
            if (event != null) [tries, refusals] = [0, 0];
            if (!isSubscription || event != null || !canRecover(result.errors)) return sink.next(result as never);
            fault = result;
            if (result.data === undefined) return;
            over = true; // an event that could not be read: the next one must not move the cursor past it
            end();
            void recover(result.errors, () => [sink.next(result as never), sink.complete()]);
          },
          error(errors) {
            if (!over) void recover(errors, () => sink.error(errors));
          },
          complete() {
            if (over) return;
            if (fault === undefined) sink.complete();
            else void recover(fault.errors, () => [sink.next(fault as never), sink.complete()]);
          },
        },
      );
      stop = end;
    }

    function canRecover(errors: unknown): boolean {
      if (!isSubscription || !Array.isArray(errors)) return false;
      return onUnauthenticated !== undefined && hasCode(errors, 'UNAUTHENTICATED') ? true : !isFinal(errors);
    }

    /** Begins again, once what stood in the way is seen to; gives up where nothing can be done about it. */
    async function recover(errors: unknown, giveUp: () => void): Promise<void> {
      const last = variables['after'];
      const lagged = hasCode(errors, 'LAGGED');
      try {
        if (hasCode(errors, 'CURSOR_EXPIRED') || (lagged && last == null)) {
          const next = left ? null : await onExpired?.(payload);
          if (!left && (next == null || next === last)) return giveUp();
          variables['after'] = next;
        } else if (hasCode(errors, 'UNAUTHENTICATED') && onUnauthenticated !== undefined && refusals < MAX_REFUSALS) {
          renewing ??= renew().finally(() => (renewing = undefined));
          const renewed = await renewing.then(
            (yes) => ((refusals += 1), yes),
            () => wait(tries++).then(() => true),
          );
          if (!renewed) return giveUp();
        } else if (!isSubscription || isFinal(errors)) {
          return giveUp();
        } else if (!lagged) {
          await wait(tries++);
        }
        if (left) sink.complete();
        else start();
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

/** By the codes of GraphQL errors, or by the code with which the socket was closed. */
function isFinal(errors: unknown): boolean {
  if (Array.isArray(errors)) return errors.some((error) => FINAL.has(error?.extensions?.code));
  return FINAL.has((errors as { code?: unknown } | null)?.code);
}

function hasCode(errors: unknown, code: string): boolean {
  return Array.isArray(errors) && errors.some((error) => error?.extensions?.code === code);
}

import type { Exchange, Operation } from 'urql';
import { noteServerTime } from './clock.ts';
import { filter, merge, makeSubject, pipe, share, tap } from 'wonka';

/*
 * An answer over HTTP may have been read before an event that has come over the socket meanwhile: written into the cache after it,
 * the answer would show what was, until the next event. So what an event has overtaken is asked for once more. The same place learns
 * the server's time, since it knows when each question went out.
 */

/** For longer no request is under way. */
const REMEMBER_MS = 60_000;
const MAX_ROUNDS = 3;

const happened: { at: number; ids: readonly string[] }[] = [];

/** Notes the objects that an event is about, by their IDs. */
export function noteEvent(data: unknown): void {
  const now = performance.now();
  while (happened[0] !== undefined && now - happened[0].at > REMEMBER_MS) happened.shift();
  const ids = [...JSON.stringify(data).matchAll(/"id":"([^"]+)"/g)].map(([, id = '']) => id);
  if (ids.length > 0) happened.push({ at: now, ids });
}

function isOvertaken(data: unknown, since: number): boolean {
  const events = happened.filter(({ at }) => at > since);
  if (events.length === 0) return false;
  const text = JSON.stringify(data);
  return events.some(({ ids }) => ids.some((id) => text.includes(`"${id}"`)));
}

/** Stands between the cache and the network. */
export const freshnessExchange: Exchange =
  ({ forward }) =>
  (operations$) => {
    const again = makeSubject<Operation>();
    const under = new Map<number, { since: number; rounds: number }>();
    const noted$ = pipe(
      merge([operations$, again.source]),
      tap(({ kind, key }) => {
        if (kind === 'query') under.set(key, { since: performance.now(), rounds: under.get(key)?.rounds ?? 0 });
        if (kind === 'teardown') under.delete(key);
      }),
      share,
    );
    return pipe(
      forward(noted$),
      filter(({ operation, data }) => {
        const entry = under.get(operation.key);
        if (operation.kind !== 'query' || entry === undefined) return true;
        const { serverTime } = (data ?? {}) as { serverTime?: string };
        if (serverTime !== undefined) noteServerTime(serverTime, entry.since, performance.now());
        if (data == null || entry.rounds >= MAX_ROUNDS || !isOvertaken(data, entry.since)) {
          under.delete(operation.key);
          return true;
        }
        entry.rounds += 1;
        // After this answer has been dealt with: it is not passed on, since the next one is on its way.
        queueMicrotask(() => again.next(operation));
        return false;
      }),
    );
  };

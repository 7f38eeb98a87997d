import { encodeCursor, decodeCursor } from '../../events/cursor.ts';
import type { StoredEvent } from '../../events/event.ts';
import { CursorExpiredError, type EventFilter } from '../../events/replay.ts';
import type { Resumption } from '../../events/catch-up.ts';
import type { StreamItem } from '../../events/stream.ts';
import { builder } from '../schema/builder.ts';
import type { Context } from '../context/context.ts';
import type { ShopServices } from '../../modules/module.ts';
import { requestError } from '../context/request-error.ts';
import { RECORDED, SHARED } from '../schema/shared.ts';

/** What every event has. */
export const EventRef = builder.interfaceRef<StreamItem<unknown>>('Event').implement({
  extensions: { ...SHARED, ...RECORDED },
  description: 'An event delivered by a subscription.',
  fields: (t) => ({
    cursor: t.field({
      type: 'EventCursor',
      nullable: false,
      description: 'Position of the event in the event log. Pass it as `after` to continue from here.',
      resolve: ({ epoch, event }) => encodeCursor({ epoch, seq: event.seq }),
    }),
    occurredAt: t.field({
      type: 'DateTime',
      nullable: false,
      description: 'Time of the event.',
      resolve: ({ event }) => event.occurredAt,
    }),
  }),
});

/** The argument by which a subscription goes on where an earlier one was cut off. */
export const AFTER = {
  type: 'EventCursor',
  description:
    'Position after which to start: `cursor` of the last event received or, for the first subscription, `asOf` or ' +
    '`eventCursor` of the query before it. The subscription first delivers the events since then. If omitted, ' +
    'only new events are delivered. Fails with CURSOR_EXPIRED if the cursor is older than the event log or belongs to another one.',
} as const;

/**
 * Where a subscription begins: null is now.
 * @param after the argument of the subscription. Over SSE, the `Last-Event-ID` of who was cut off is later than that
 * @param filter what to read of the log, at least all that the subscription is about; asked for where the log is read
 * @throws BAD_REQUEST for an invalid cursor; CURSOR_EXPIRED if the log does not reach back to the cursor; RATE_LIMITED if
 *   too many of the same network catch up already
 */
export async function resumeAfter(
  { feed, replay, lastEventId, throttle, clientAddress, logger }: Context,
  after: string | null | undefined,
  filter: () => EventFilter | Promise<EventFilter>,
): Promise<Resumption | null> {
  const given = lastEventId ?? after ?? null;
  if (given === null) return null;
  const cursor = decodeCursor(given);
  if (cursor === null) throw requestError('BAD_REQUEST', '`Last-Event-ID` is not a cursor of this shop.');
  const position = feed.position();
  const inMemory = cursor.epoch === position.epoch && cursor.seq <= position.seq && feed.since(cursor.seq) !== null;
  const queue = throttle === null ? undefined : () => throttle.presence.queueReplay({ clientAddress, logger });
  if (!inMemory) {
    const turn = queue?.();
    await turn?.come;
    try {
      await replay.check(cursor);
    } catch (error) {
      throw error instanceof CursorExpiredError ? requestError('CURSOR_EXPIRED', error.message) : error;
    } finally {
      turn?.leave();
    }
  }
  return { after: cursor, replay, queue, filter };
}

/**
 * Asks what there is to know of an event once for all subscribers that need it at the same time. The answer is the same for each of them.
 * It is not kept: a reader who comes to the event later may not see it any more.
 */
export function oncePerEvent<T>(
  ask: (services: ShopServices, event: StoredEvent) => Promise<T>,
): (services: ShopServices, event: StoredEvent) => Promise<T> {
  const answers = new WeakMap<StoredEvent, Promise<T>>();
  return (services, event) => {
    let answer = answers.get(event);
    if (answer === undefined) {
      answer = ask(services, event);
      answers.set(event, answer);
      const forget = () => answers.delete(event);
      answer.then(forget, forget);
    }
    return answer;
  };
}

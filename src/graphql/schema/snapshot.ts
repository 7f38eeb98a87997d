import type { GraphQLResolveInfo } from 'graphql';
import { encodeCursor, type Cursor } from '../../events/cursor.ts';
import type { StreamItem } from '../../events/stream.ts';
import { builder } from './builder.ts';
import type { Context } from '../context/context.ts';

/**
 * The place in the log up to which everything in this answer is known. In a query or a mutation that is the log's end from
 * before execution (see event-cursor.ts), in a subscription the event itself: what is read for it is at least as new.
 */
function placeOf(ctx: Context, { rootValue }: GraphQLResolveInfo): Cursor | null {
  if (ctx.eventCursor !== null) return ctx.eventCursor;
  const item = rootValue as Partial<StreamItem<unknown>> | null | undefined;
  return item?.event === undefined || item.epoch === undefined ? null : { epoch: item.epoch, seq: item.event.seq };
}

/** The argument by which normalised caches keep one value for each page or component that reads it. */
export const FOR = {
  description:
    'Name of the reader, such as `ProductPage`. The value does not affect the result; a client-side cache ' +
    'stores one cursor per value.',
} as const;

/** What can be read together with the place in the event log from which to follow it. */
export const SnapshotRef = builder.interfaceRef<object>('Snapshot').implement({
  description: 'An object that is read together with its position in the event log.',
  fields: (t) => ({
    asOf: t.field({
      type: 'EventCursor',
      nullable: true,
      description:
        'Position in the event log up to which this object includes all changes. A subscription that passes the ' +
        'cursor as `after` misses no event. The cursor belongs to the response it came with: several ' +
        'queries that select it for the same object must pass different values of `for`, or a cache may pair a newer ' +
        'cursor with older data. For all fields of an operation, use `eventCursor`.',
      args: { for: t.arg.string(FOR) },
      complexity: 0,
      resolve: (_parent, _args, ctx, info) => {
        const place = placeOf(ctx, info);
        return place === null ? null : encodeCursor(place);
      },
    }),
  }),
});

import type { GraphQLResolveInfo } from 'graphql';
import { encodeCursor, type Cursor } from '../events/cursor.ts';
import type { StreamItem } from '../events/stream.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

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
    'Any name of what reads it, such as `ProductPage`. It changes nothing here, but caches keep one value for each name.',
} as const;

/** What can be read together with the place in the event log from which to follow it. */
export const SnapshotRef = builder.interfaceRef<object>('Snapshot').implement({
  description: 'Something that is read together with the place in the event log from which to follow it.',
  fields: (t) => ({
    asOf: t.field({
      type: 'EventCursor',
      nullable: true,
      description: `The place in the event log up to which this object is known: subscribe \`after\` it and miss nothing. It belongs to the
answer it came with. Where several queries read the object, give each a name of its own by \`for\`: a cache would
otherwise show the newest cursor beside older data.`,
      args: { for: t.arg.string(FOR) },
      complexity: 0,
      resolve: (_parent, _args, ctx, info) => {
        const place = placeOf(ctx, info);
        return place === null ? null : encodeCursor(place);
      },
    }),
  }),
});

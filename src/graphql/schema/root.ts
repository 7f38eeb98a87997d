import { encodeCursor } from '../../events/cursor.ts';
import { builder } from './builder.ts';
import { KEPT } from './kept.ts';
import { FOR } from './snapshot.ts';

const ShopRef = builder.objectRef<{ name: string; currency: string }>('Shop').implement({
  extensions: KEPT,
  description: 'Settings of the shop.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Display name.' }),
    currencyCode: t.field({
      type: 'CurrencyCode',
      nullable: false,
      description: 'Currency of all prices.',
      resolve: (shop) => shop.currency,
    }),
  }),
});

builder.queryFields((t) => ({
  shop: t.field({
    type: ShopRef,
    nullable: false,
    description: 'Settings of the shop.',
    extensions: KEPT,
    resolve: (_root, _args, ctx) => ctx.shop,
  }),
  serverTime: t.field({
    type: 'DateTime',
    nullable: false,
    description: 'Current time of the database, for countdowns.',
    args: { for: t.arg.string(FOR) },
    resolve: async (_root, _args, ctx) => {
      const [row] = await ctx.db.query<{ now: Date }>({ name: 'server_time', text: 'SELECT clock_timestamp() AS now' });
      if (row === undefined) throw new Error('the database did not return the time');
      return row.now;
    },
  }),
  eventCursor: t.field({
    type: 'EventCursor',
    nullable: false,
    description:
      'End of the event log before any other field of the operation is read. A subscription that passes the ' +
      'cursor as `after` misses no event. The cursor belongs to the response it came with: pages and components ' +
      'that select it must pass different values of `for`, or a cache may pair the cursor of one with older data ' +
      'of another. See also `asOf`.',
    args: { for: t.arg.string(FOR) },
    resolve: async (_root, _args, ctx) => {
      // Taken before execution began, by the hook in event-cursor.ts: here other fields may have been read already.
      if (ctx.eventCursor === null) throw new Error('the end of the log was not taken before execution');
      return encodeCursor(ctx.eventCursor);
    },
  }),
}));

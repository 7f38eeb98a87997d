import { encodeCursor } from '../events/cursor.ts';
import { builder } from './builder.ts';
import { FOR } from './snapshot.ts';

const ShopRef = builder.objectRef<{ name: string; currency: string }>('Shop').implement({
  description: 'The shop itself.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Its name for people.' }),
    currencyCode: t.field({
      type: 'CurrencyCode',
      nullable: false,
      description: 'What its prices are in.',
      resolve: (shop) => shop.currency,
    }),
  }),
});

builder.queryFields((t) => ({
  shop: t.field({
    type: ShopRef,
    nullable: false,
    description: 'The shop itself.',
    resolve: (_root, _args, ctx) => ctx.shop,
  }),
  serverTime: t.field({
    type: 'DateTime',
    nullable: false,
    description: "The database's clock, for countdowns.",
    args: { for: t.arg.string(FOR) },
    resolve: async (_root, _args, ctx) => {
      const [row] = await ctx.db.query<{ now: Date }>({ name: 'server_time', text: 'SELECT clock_timestamp() AS now' });
      if (row === undefined) throw new Error('the database did not tell the time');
      return row.now;
    },
  }),
  eventCursor: t.field({
    type: 'EventCursor',
    nullable: false,
    description: `The end of the event log before anything else in this operation is read: subscribe \`after\` it and miss nothing.
It belongs to the answer it came with. Give each page or component that asks for it a name of its own by \`for\`: a cache
would otherwise overwrite one's cursor by another's, which is beside newer data. See also \`asOf\`.`,
    args: { for: t.arg.string(FOR) },
    resolve: async (_root, _args, ctx) => {
      // Taken before execution began, by the hook in event-cursor.ts: here other fields may have been read already.
      if (ctx.eventCursor === null) throw new Error('the end of the log was not taken before execution');
      return encodeCursor(ctx.eventCursor);
    },
  }),
}));

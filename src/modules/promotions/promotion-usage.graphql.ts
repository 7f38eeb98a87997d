import { requestError } from '../../graphql/context/request-error.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { assertTimeZone } from '../../graphql/schema/time-zone.ts';
import type { CodeUsage, DayUsage, Usage, UsageSpan } from './promotion.service.ts';
import { PromotionRef } from './promotions.refs.graphql.ts';

const DAY_MS = 86_400_000;
const MAX_DAYS = 400;
const USUAL_DAYS = 30;

interface Report extends UsageSpan {
  timeZone: string;
}

const UsageRef = builder.objectRef<Usage>('PromotionUsageSums').implement({
  description: 'Sums over the orders of a promotion. Cancelled orders do not count. Staff only.',
  fields: (t) => ({
    orderCount: t.exposeInt('orderCount', {
      nullable: false,
      description: 'Number of orders to which the promotion was applied.',
    }),
    revenue: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the totals of these orders, paid or not.',
      resolve: ({ revenueMinor }, _args, ctx) => ({ minor: revenueMinor, currency: ctx.shop.currency }),
    }),
    discountTotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the amounts that the promotion took off.',
      resolve: ({ discountMinor }, _args, ctx) => ({ minor: discountMinor, currency: ctx.shop.currency }),
    }),
  }),
});

const DayUsageRef = builder.objectRef<DayUsage>('PromotionUsageDay').implement({
  description: 'Orders of a promotion on one day. Staff only.',
  fields: (t) => ({
    startsAt: t.expose('startsAt', { type: 'DateTime', nullable: false, description: 'Start of the day.' }),
    sums: t.field({
      type: UsageRef,
      nullable: false,
      description: 'Orders of the part of the day that lies in the period of the report.',
      resolve: (day) => day,
    }),
  }),
});

const CodeUsageRef = builder.objectRef<CodeUsage>('PromotionUsageCode').implement({
  description: 'Orders with one discount code of a promotion. Staff only.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Discount code, in capital letters.' }),
    sums: t.field({
      type: UsageRef,
      nullable: false,
      description: 'Orders with the code.',
      resolve: (code) => code,
    }),
  }),
});

const CodeUsageConnectionRef = connectionType(CodeUsageRef, 'discount codes with their usage');
const ofCodes: CursorType = { list: 'promotion.usage.codes', values: [cursorTypes.amount, cursorTypes.text] };

const PromotionUsageRef = builder.objectRef<Report>('PromotionUsage').implement({
  description:
    'Orders of a promotion in a period of time. They count by the time at which they were placed, with the discounts that ' +
    'they were placed with; cancelled orders do not count. Staff only.',
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', nullable: false, description: 'Start of the period.' }),
    to: t.expose('to', { type: 'DateTime', nullable: false, description: 'End of the period, which is excluded.' }),
    sums: t.field({
      type: UsageRef,
      nullable: false,
      description: 'Orders of the whole period.',
      complexity: 20,
      resolve: (span, _args, { services }) => services.promotions.usage(span),
    }),
    byDay: t.field({
      type: [DayUsageRef],
      nullable: { list: false, items: false },
      description: 'Orders by day, oldest first. Days without orders are left out.',
      complexity: { field: 50, multiplier: 1 },
      resolve: (span, _args, { services }) => services.promotions.usageByDay(span, span.timeZone),
    }),
    byCode: t.field({
      type: CodeUsageConnectionRef,
      nullable: false,
      description: 'Orders by discount code; the codes that took off most come first. Empty for automatic promotions.',
      args: t.arg.connectionArgs(),
      complexity: pageCost,
      async resolve(span, args, { services: { promotions } }) {
        const page = await promotions.usageByCode(span, pageOf(args, ofCodes));
        return toConnection(page, ofCodes, () => promotions.codesUsed(span));
      },
    }),
  }),
});

builder.objectField(PromotionRef, 'usage', (t) =>
  t.field({
    type: PromotionUsageRef,
    nullable: true,
    description: 'Orders of the promotion in a period of time.',
    args: {
      from: t.arg({
        type: 'DateTime',
        description: `Start of the period. Defaults to ${USUAL_DAYS} days before \`to\`.`,
      }),
      to: t.arg({
        type: 'DateTime',
        description: `End of the period, which is excluded. Defaults to the current time; at most ${MAX_DAYS} days after \`from\`.`,
      }),
      timeZone: t.arg.string({
        defaultValue: 'UTC',
        description:
          'IANA name of the time zone by whose clock days begin, for example `Europe/Berlin`. Defaults to UTC.',
      }),
    },
    async resolve({ id: promotionId }, { from, to, timeZone }, { services }) {
      const zone = timeZone ?? 'UTC';
      assertTimeZone(zone);
      const end = to ?? (await services.promotions.now());
      const start = from ?? new Date(end.getTime() - USUAL_DAYS * DAY_MS);
      const ms = end.getTime() - start.getTime();
      if (ms < 0) throw requestError('BAD_REQUEST', '`from` must not be after `to`.');
      if (ms > MAX_DAYS * DAY_MS) throw requestError('BAD_REQUEST', `The period may have at most ${MAX_DAYS} days.`);
      return { promotionId, from: start, to: end, timeZone: zone };
    },
  }),
);

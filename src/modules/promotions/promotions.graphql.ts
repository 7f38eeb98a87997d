import { requestError } from '../../graphql/context/request-error.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { normalizeCode } from './code.ts';
import type { PromotionQuery, PromotionSort } from './promotion.service.ts';
import { PromotionRef, PromotionStatusRef, PromotionTriggerRef } from './promotions.refs.graphql.ts';

const MAX_SEARCH = 200;

const PromotionSortRef = builder.enumType('PromotionSort', {
  description: 'Order of a list of promotions.',
  values: {
    NEWEST: { description: 'Promotions that were created last come first.' },
    TITLE: { description: 'By title, from A to Z.' },
    STARTS_AT: { description: 'Promotions that begin last come first.' },
    MOST_USED: { description: 'Promotions with the highest `used` come first.' },
  },
} as const);

const PromotionFilterRef = builder.inputType('PromotionFilter', {
  description: 'Conditions for listing promotions. A promotion is listed if it meets all of them.',
  fields: (t) => ({
    statuses: t.field({ type: [PromotionStatusRef], description: 'Lists only promotions with one of these statuses.' }),
    trigger: t.field({ type: PromotionTriggerRef, description: 'Lists only promotions with this trigger.' }),
    search: t.string({
      description: `Part of the title, or a complete code, at most ${MAX_SEARCH} characters.`,
    }),
  }),
});

function toQuery({ statuses, trigger, search }: typeof PromotionFilterRef.$inferInput): PromotionQuery {
  const query: PromotionQuery = {};
  if (statuses != null) query.statuses = [...new Set(statuses)];
  if (trigger != null) query.trigger = trigger;
  if (search != null && search.trim() !== '') {
    if (search.length > MAX_SEARCH) {
      throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
    }
    // PostgreSQL has no such character.
    query.search = search.trim().replaceAll('\0', ' ');
    query.code = normalizeCode(search);
  }
  return query;
}

const PromotionConnectionRef = connectionType(PromotionRef, 'promotions');

const cursors: Record<PromotionSort, CursorType> = {
  NEWEST: { list: 'promotions', values: [cursorTypes.instant, cursorTypes.uuid] },
  TITLE: { list: 'promotions.title', values: [cursorTypes.text, cursorTypes.uuid] },
  STARTS_AT: { list: 'promotions.startsAt', values: [cursorTypes.instant, cursorTypes.uuid] },
  MOST_USED: { list: 'promotions.used', values: [cursorTypes.int, cursorTypes.uuid] },
};

builder.queryFields((t) => ({
  promotion: t.field({
    type: PromotionRef,
    nullable: true,
    description: 'A promotion. Null if there is none. Staff only.',
    authScopes: { staff: true },
    args: { id: t.arg.id({ required: true, description: 'Global ID of the promotion.' }) },
    resolve: (_root, { id }, ctx) => ctx.loaders.promotion.load(argumentId('Promotion', id, 'id')),
  }),
  promotions: t.field({
    type: PromotionConnectionRef,
    nullable: true,
    description: 'Promotions, newest first by default. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: PromotionFilterRef, description: 'Conditions that the promotions must meet.' }),
      sort: t.arg({ type: PromotionSortRef, description: 'Order of the list. Defaults to NEWEST.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    async resolve(_root, { filter, sort, ...args }, { services: { promotions } }) {
      const query = toQuery(filter ?? {});
      const order = sort ?? 'NEWEST';
      const page = await promotions.page(query, order, pageOf(args, cursors[order]));
      return toConnection(page, cursors[order], () => promotions.count(query));
    },
  }),
}));

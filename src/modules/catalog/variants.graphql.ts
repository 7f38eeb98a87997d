import { requestError } from '../../graphql/context/request-error.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { ProductVariantRef } from './catalog.refs.graphql.ts';
import type { VariantQuery } from './catalog.service.ts';

const MAX_SEARCH = 200;

const StockStateRef = builder.enumType('StockState', {
  description: 'How many units of a variant are available, compared with its `lowStockThreshold`.',
  values: {
    SOLD_OUT: { description: 'No units are available.' },
    LOW: { description: 'At least one unit is available, but not more than the threshold.' },
    SUFFICIENT: { description: 'More units are available than the threshold.' },
  },
} as const);

const VariantFilterRef = builder.inputType('ProductVariantFilter', {
  description: 'Conditions for listing variants. A variant is listed if it meets all of them.',
  fields: (t) => ({
    search: t.string({
      description: `Words to find in the title and the SKUs of the product, at most ${MAX_SEARCH} characters. The last word may be incomplete; accents and case are ignored.`,
    }),
    states: t.field({ type: [StockStateRef], description: 'Lists only variants in one of these states.' }),
  }),
});

function toQuery({ search, states }: typeof VariantFilterRef.$inferInput): VariantQuery {
  const query: VariantQuery = {};
  if (search != null && search.trim() !== '') {
    if (search.length > MAX_SEARCH) {
      throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
    }
    // PostgreSQL has no such character.
    query.search = search.replaceAll('\0', ' ');
  }
  if (states != null) query.states = [...new Set(states)];
  return query;
}

const ProductVariantConnectionRef = connectionType(ProductVariantRef, 'variants');

const ofVariants: CursorType = {
  list: 'productVariants',
  values: [cursorTypes.int, cursorTypes.int, cursorTypes.uuid],
};

builder.queryField('productVariants', (t) =>
  t.field({
    type: ProductVariantConnectionRef,
    nullable: true,
    description:
      'Variants of active and draft products, except archived variants. Sold-out variants come first, then those ' +
      'that are low in stock, then all others; within each group, the fewest available units come first. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: VariantFilterRef, description: 'Conditions that the variants must meet.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, { services: { catalog } }) => {
      const query = toQuery(filter ?? {});
      const page = await catalog.variantPage(query, pageOf(args, ofVariants));
      return toConnection(page, ofVariants, () => catalog.variantCount(query));
    },
  }),
);

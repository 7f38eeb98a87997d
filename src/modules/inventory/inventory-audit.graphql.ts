import { builder } from '../../graphql/builder.ts';
import { cursorTypes, decodeCursor, encodeCursor, type CursorType } from '../../graphql/connection.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { requestError } from '../../graphql/request-error.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { Discrepancy } from './inventory.audit.ts';
import type { InventoryAudit } from './stock.service.ts';

const InventoryDiscrepancyRef = builder.objectRef<Discrepancy>('InventoryDiscrepancy').implement({
  description: 'A rule of stock that a variant breaks.',
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Which variant.',
      resolve: ({ variantId }, _args, ctx) => loadKnown(ctx.loaders.variant, variantId),
    }),
    rule: t.exposeString('rule', { nullable: false, description: 'Which rule is broken, in words.' }),
    expected: t.exposeInt('expected', { nullable: false, description: 'What it should be.' }),
    actual: t.exposeInt('actual', { nullable: false, description: 'What it is.' }),
  }),
});

/** What was checked, and after which variant it began. */
type Audit = InventoryAudit & { after: string | null };

const ofVariants: CursorType = { list: 'inventoryAudit', values: [cursorTypes.uuid] };

function cursorOf(variantId: string | null): string | null {
  return variantId === null ? null : encodeCursor(ofVariants, [variantId]);
}

const InventoryAuditRef = builder.objectRef<Audit>('InventoryAudit').implement({
  description: `Whether the counters agree with the ledger and the carts. Empty \`discrepancies\` means they do.
Looks at the counters, the latest ten ledger entries and what live carts hold, each variant in one snapshot.`,
  fields: (t) => ({
    checkedVariants: t.exposeInt('checkedVariants', { nullable: false, description: 'How many were looked at.' }),
    checkedAt: t.expose('checkedAt', { type: 'DateTime', nullable: false, description: 'When the check began.' }),
    discrepancies: t.field({
      type: [InventoryDiscrepancyRef],
      nullable: false,
      description:
        'What does not agree. After about 1,000 of them it stops: `pageInfo` says that there is more to check.',
      resolve: (audit) => audit.discrepancies,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      nullable: false,
      description: 'Which of the variants were checked, in the order of a list of their own.',
      resolve: ({ more, after, firstId, lastId, checkedVariants }) => ({
        hasNextPage: more,
        hasPreviousPage: after !== null,
        startCursor: cursorOf(firstId),
        endCursor: checkedVariants === 0 ? null : cursorOf(lastId),
      }),
    }),
  }),
});

builder.queryField('inventoryAudit', (t) =>
  t.field({
    type: InventoryAuditRef,
    nullable: true,
    description: 'Checks the stock of every variant, or of some at a time. (staff)',
    authScopes: { staff: true },
    args: {
      first: t.arg.int({ description: 'So many variants; all of them unless told.' }),
      after: t.arg.string({ description: 'Begin after this cursor: the `endCursor` of the check before.' }),
    },
    // It is not to be asked for many times in one operation.
    complexity: 4000,
    resolve: async (_root, args, ctx) => {
      const first = args.first ?? null;
      if (first !== null && first < 1) throw requestError('BAD_REQUEST', '`first` must be 1 at least.');
      const [after = null] = args.after == null ? [] : decodeCursor(args.after, 'after', ofVariants);
      return { ...(await ctx.services.stock.audit(first, after)), after };
    },
  }),
);

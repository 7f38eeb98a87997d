import { builder } from '../../graphql/schema/builder.ts';
import { auditPageInfo, auditPageOf } from '../../graphql/schema/audit-page.ts';
import { cursorTypes, type CursorType } from '../../graphql/schema/connection.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { Discrepancy } from './inventory.audit.ts';
import type { InventoryAudit } from './stock.service.ts';

const InventoryDiscrepancyRef = builder.objectRef<Discrepancy>('InventoryDiscrepancy').implement({
  description: 'A stock rule that a variant violates.',
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Variant that violates the rule.',
      resolve: ({ variantId }, _args, ctx) => loadKnown(ctx.loaders.variant, variantId),
    }),
    rule: t.exposeString('rule', { nullable: false, description: 'Violated rule, in words.' }),
    expected: t.exposeInt('expected', { nullable: false, description: 'Value that the rule requires.' }),
    actual: t.exposeInt('actual', { nullable: false, description: 'Value that was found.' }),
  }),
});

/** What was checked, and after which variant it began. */
type Audit = InventoryAudit & { after: string | null };

const ofVariants: CursorType = { list: 'inventoryAudit', values: [cursorTypes.uuid] };

const InventoryAuditRef = builder.objectRef<Audit>('InventoryAudit').implement({
  description:
    'Result of comparing the stock counters with the stock ledger and the carts. An empty list of ' +
    '`discrepancies` means that they agree. The audit covers the counters, the latest ten ledger entries and ' +
    'the units held by active carts, each variant in one database snapshot.',
  fields: (t) => ({
    checkedVariants: t.exposeInt('checkedVariants', { nullable: false, description: 'Number of variants checked.' }),
    checkedAt: t.expose('checkedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the audit started.',
    }),
    discrepancies: t.field({
      type: [InventoryDiscrepancyRef],
      nullable: false,
      description:
        'Rule violations found. The audit stops after about 1,000 of them; `pageInfo.hasNextPage` is then true.',
      resolve: (audit) => audit.discrepancies,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      nullable: false,
      description: 'Position in the list of all variants, in an order specific to the audit.',
      resolve: (audit) => auditPageInfo(audit, ofVariants),
    }),
  }),
});

builder.queryField('inventoryAudit', (t) =>
  t.field({
    type: InventoryAuditRef,
    nullable: true,
    description: 'Audits the stock of all variants, or of one page of them. Staff only.',
    authScopes: { staff: true },
    args: {
      first: t.arg.int({ description: 'Number of variants to check, at least 1. Defaults to all.' }),
      after: t.arg.string({
        description: 'Cursor of the variant after which to start: `pageInfo.endCursor` of the previous audit.',
      }),
    },
    // It is not to be asked for many times in one operation.
    complexity: 4000,
    resolve: async (_root, args, ctx) => {
      const { first, after } = auditPageOf(args, ofVariants);
      return { ...(await ctx.services.stock.audit(first, after)), after };
    },
  }),
);

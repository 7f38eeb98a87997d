import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { FILE_DAYS, IMPORT_DAYS } from './product-imports.retention.ts';
import { MAX_FINDINGS } from './product-imports.runner.ts';
import type { FindingRow, ProductImportRow } from './product-imports.service.ts';

const StatusRef = builder.enumType('ProductImportStatus', {
  description: 'Status of an import.',
  values: {
    UPLOADING: { description: 'The file is being uploaded. The import has not been started.' },
    QUEUED: { description: 'The import waits for a worker.' },
    RUNNING: { description: 'The import is running.' },
    COMPLETED: { description: 'The import has ended. Products may have been rejected; see `findings`.' },
    FAILED: { description: 'The import could not be run, or not to its end; see `fault`.' },
    CANCELLED: { description: 'The import was cancelled. What had been imported before remains.' },
  },
} as const);

const KindRef = builder.enumType('ProductImportFindingKind', {
  description: 'Kind of a finding.',
  values: {
    REJECTION: { description: 'The product was rejected, or would be rejected.' },
    NOTE: {
      description: 'The product was imported, or would be imported, with a difference that `message` describes.',
    },
  },
} as const);

const FindingRef = builder.objectRef<FindingRow>('ProductImportFinding').implement({
  description: 'A rejection or a note in the report of an import. Staff only.',
  fields: (t) => ({
    kind: t.field({ type: KindRef, nullable: false, description: 'Kind of finding.', resolve: ({ kind }) => kind }),
    line: t.exposeInt('line', { nullable: false, description: 'Line of the file in a text editor, from 1.' }),
    row: t.exposeInt('row', { nullable: false, description: 'Row of the file in a spreadsheet, from 1.' }),
    handle: t.exposeString('handle', {
      nullable: false,
      description: 'Handle of the product in the file. Empty if the row has none.',
    }),
    column: t.exposeString('column', {
      nullable: true,
      description: 'Header of the column. Null if the finding does not concern a single column.',
    }),
    message: t.exposeString('message', { nullable: false, description: 'Human-readable message in English.' }),
  }),
});

const FindingConnectionRef = connectionType(FindingRef, 'findings');
const ofFindings: CursorType = { list: 'productImport.findings', values: [cursorTypes.int] };

/** An import of a product file. */
export const ProductImportRef = builder.objectRef<ProductImportRow>('ProductImport');

builder.node(ProductImportRef, {
  description:
    `An import of a product CSV, with the progress and the report of its latest run. The file is kept for ${FILE_DAYS} ` +
    `days after the last run, and the import for ${IMPORT_DAYS} days. Staff only.`,
  authScopes: { staff: true },
  id: { resolve: ({ id }) => id, description: 'Global ID of the import.' },
  fields: (t) => ({
    fileName: t.exposeString('fileName', { nullable: false, description: 'Name of the file.' }),
    status: t.field({
      type: StatusRef,
      nullable: false,
      description: 'Status of the import.',
      resolve: ({ status }) => status,
    }),
    dryRun: t.exposeBoolean('dryRun', {
      nullable: false,
      description: 'Whether the latest run is a dry run, which changes no product. True before the first run.',
    }),
    sizeBytes: t.exposeInt('sizeBytes', {
      nullable: false,
      description: 'Number of bytes uploaded so far, in UTF-8: the `offset` of the next piece.',
    }),
    isFileKept: t.exposeBoolean('isFileKept', {
      nullable: false,
      description: 'Whether the file is still kept, so that the import can be started again.',
    }),
    rowCount: t.exposeInt('rowCount', {
      nullable: true,
      description: 'Number of rows in the file, without its header. Null until the file has been read.',
    }),
    doneRowCount: t.exposeInt('rows', { nullable: false, description: 'Number of rows processed so far.' }),
    productCount: t.exposeInt('products', { nullable: false, description: 'Number of products processed so far.' }),
    createdCount: t.exposeInt('made', {
      nullable: false,
      description: 'Number of products that were created, or would be created.',
    }),
    changedCount: t.exposeInt('changed', {
      nullable: false,
      description: 'Number of products that were changed, or would be changed.',
    }),
    unchangedCount: t.exposeInt('unchanged', {
      nullable: false,
      description: 'Number of products that already were as in the file.',
    }),
    rejectedCount: t.exposeInt('refused', {
      nullable: false,
      description: 'Number of products that were rejected, or would be rejected.',
    }),
    findingCount: t.exposeInt('findings', {
      nullable: false,
      description: `Number of findings, including those beyond the ${MAX_FINDINGS.toLocaleString('en')} that are kept.`,
    }),
    unknownColumns: t.exposeStringList('unknownColumns', {
      nullable: false,
      description: 'Headers of the columns that the import ignores because it does not know them.',
    }),
    fault: t.exposeString('fault', {
      nullable: true,
      description: 'Reason why the import failed. Null unless the status is FAILED.',
    }),
    actor: t.field({
      type: UserRef,
      nullable: true,
      description: 'User who started the latest run, or uploaded the file. Null if the account was deleted.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.loaders.user.load(actorId)),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the import was created.',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the latest run was started. Null before the first run.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the latest run ended. Null before its end.',
    }),
    report: t.field({
      type: FindingConnectionRef,
      nullable: false,
      description: `Report of the latest run: its first ${MAX_FINDINGS.toLocaleString('en')} findings, in the order in which they were found.`,
      args: t.arg.connectionArgs(),
      complexity: pageCost,
      resolve: async ({ id }, args, { services: { productImports } }) =>
        toConnection(await productImports.findings(id, pageOf(args, ofFindings)), ofFindings, () =>
          productImports.findingCount(id),
        ),
    }),
  }),
});

registerNode('ProductImport', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const found = new Map((await ctx.services.productImports.byIds(ids)).map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
});

const ImportConnectionRef = connectionType(ProductImportRef, 'imports');
const ofImports: CursorType = { list: 'productImports', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('productImports', (t) =>
  t.field({
    type: ImportConnectionRef,
    nullable: true,
    description: 'Imports of product files, newest first. Staff only.',
    authScopes: { staff: true },
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    resolve: async (_root, args, { services: { productImports } }) =>
      toConnection(await productImports.page(pageOf(args, ofImports)), ofImports, () => productImports.count()),
  }),
);

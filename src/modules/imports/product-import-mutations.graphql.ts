import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { ProductImportRef } from './product-imports.graphql.ts';
import { MAX_FILE_BYTES, MAX_PIECE_BYTES, type ProductImportRow } from './product-imports.service.ts';

function importPayload(name: string) {
  const ref = payloadType<{ productImport: ProductImportRow }>(name);
  builder.objectField(ref, 'productImport', (t) =>
    t.field({
      type: ProductImportRef,
      nullable: true,
      description: 'Import after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.productImport ?? null,
    }),
  );
  return ref;
}

const PIECE =
  `Text of the file, at most ${MAX_PIECE_BYTES.toLocaleString('en')} bytes in UTF-8. Upload a larger file in ` +
  `pieces, in all at most ${MAX_FILE_BYTES.toLocaleString('en')} bytes.`;
const ID = 'Global ID of the import.';

const CreateInputRef = builder.inputType('ProductImportCreateInput', {
  description: 'Input of `productImportCreate`.',
  fields: (t) => ({
    fileName: t.string({ required: true, description: 'Name of the file, at most 200 characters.' }),
    content: t.string({ defaultValue: '', description: `${PIECE} Defaults to an empty text.` }),
  }),
});

const AppendInputRef = builder.inputType('ProductImportAppendInput', {
  description: 'Input of `productImportAppend`.',
  fields: (t) => ({
    id: t.id({ required: true, description: ID }),
    offset: t.int({
      required: true,
      description: 'Number of bytes before this piece: `sizeBytes` of the import as the previous piece left it.',
    }),
    content: t.string({ required: true, description: PIECE }),
  }),
});

const StartInputRef = builder.inputType('ProductImportStartInput', {
  description: 'Input of `productImportStart`.',
  fields: (t) => ({
    id: t.id({ required: true, description: ID }),
    dryRun: t.boolean({
      required: true,
      description: 'If true, the run reports what would be imported, and changes nothing in the catalog.',
    }),
  }),
});

const CancelInputRef = builder.inputType('ProductImportCancelInput', {
  description: 'Input of `productImportCancel`.',
  fields: (t) => ({ id: t.id({ required: true, description: ID }) }),
});

builder.mutationFields((t) => ({
  productImportCreate: t.field({
    type: importPayload('ProductImportCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates an import of a product CSV with its file, or with the first piece of its file. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CreateInputRef, required: true, description: 'File to import.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { fileName, content } = input;
        const { userId } = requireUser(ctx);
        const { productImports } = ctx.services;
        return { productImport: await productImports.create(userId, { fileName, content: content ?? '' }) };
      }),
  }),

  productImportAppend: t.field({
    type: importPayload('ProductImportAppendPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Adds the next piece of the file to an import that has not been started. Fails with CONFLICT if the piece does ' +
      'not begin where the file ends. Repeating a call has no further effect. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: AppendInputRef, required: true, description: 'Piece of the file.' }) },
    resolve: (_root, { input: { id, offset, content } }, ctx) =>
      orErrors(async () => {
        const importId = inputId('ProductImport', id, ['id']);
        return { productImport: await ctx.services.productImports.append(importId, { offset, content }) };
      }),
  }),

  productImportStart: t.field({
    type: importPayload('ProductImportStartPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Starts a run of an import in the background, from the beginning of its file. After a dry run, the same import ' +
      'can be started for good. Progress is delivered by `productImportChanged`. Repeating a call while the import ' +
      'is running has no further effect. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: StartInputRef, required: true, description: 'Import to start.' }) },
    resolve: (_root, { input: { id, dryRun } }, ctx) =>
      orErrors(async () => {
        const importId = inputId('ProductImport', id, ['id']);
        const { userId } = requireUser(ctx);
        return { productImport: await ctx.services.productImports.start(userId, importId, dryRun) };
      }),
  }),

  productImportCancel: t.field({
    type: importPayload('ProductImportCancelPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Stops the run of an import. What has been imported remains. An import that is not running is returned ' +
      'unchanged. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CancelInputRef, required: true, description: 'Import to cancel.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const importId = inputId('ProductImport', input.id, ['id']);
        const { userId } = requireUser(ctx);
        return { productImport: await ctx.services.productImports.cancel(userId, importId) };
      }),
  }),
}));

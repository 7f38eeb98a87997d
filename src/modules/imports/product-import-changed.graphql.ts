import { openStream, type StreamItem } from '../../events/stream.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { AFTER, EventRef, resumeAfter } from '../../graphql/live/event.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { productImportChanged } from './product-imports.events.ts';
import { ProductImportRef } from './product-imports.graphql.ts';

type Changed = NonNullable<ReturnType<typeof productImportChanged.read>>;

const ProductImportChangedRef = builder.objectRef<StreamItem<Changed>>('ProductImportChanged').implement({
  description: 'Event: an import was created or started, made progress, or ended. Staff only.',
  authScopes: { staff: true },
  interfaces: [EventRef],
  fields: (t) => ({
    productImport: t.field({
      type: ProductImportRef,
      nullable: true,
      description: 'Import in its state when the event is delivered. Null if the import was deleted.',
      resolve: async ({ value }, _args, { services }) => {
        const [found] = await services.productImports.byIds([value.importId]);
        return found ?? null;
      },
    }),
  }),
});

builder.subscriptionField('productImportChanged', (t) =>
  t.field({
    type: ProductImportChangedRef,
    nullable: false,
    description: 'Delivers the progress of imports. Staff only.',
    authScopes: { staff: true },
    args: {
      importId: t.arg.id({ description: 'Import to follow. If null or omitted, all imports.' }),
      after: t.arg(AFTER),
    },
    subscribe: async (_root, { importId, after }, ctx) => {
      const id = importId == null ? null : argumentId('ProductImport', importId, 'importId');
      const filter = () => ({ types: [productImportChanged.type], subjects: id === null ? null : [id] });
      return openStream({
        feed: ctx.feed,
        resume: await resumeAfter(ctx, after, filter),
        pick(event) {
          const change = productImportChanged.read(event);
          return change === null || (id !== null && change.importId !== id) ? null : change;
        },
      });
    },
    resolve: (item) => item,
  }),
);

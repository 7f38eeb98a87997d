import type { ShopModule } from '../module.ts';
import { createExportService, type ExportService } from './export.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    exports: ExportService;
  }
}

/** Products and orders as CSV files. */
export const exportsModule: ShopModule = {
  name: 'exports',
  services: ({ config, db, services }) => ({
    exports: createExportService({
      db,
      currency: config.shop.currency,
      slugOf: (text) => services.productImport.slugOf(text),
    }),
  }),
};

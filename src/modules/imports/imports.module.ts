import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import { createImportService } from './import.service.ts';
import type { ProductImportPayload } from './product-imports.jobs.ts';
import { importFileRetention, importRetention } from './product-imports.retention.ts';
import { createProductImportsService, type ProductImportsService } from './product-imports.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    productImports: ProductImportsService;
  }
  interface Nudges {
    /** An import is to be run. */
    productImport(importId: string): void;
  }
  interface ShopJobs {
    productImport: Job<ProductImportPayload>;
  }
}

/** Product files that are imported, by staff in the background or by a command. */
export const importsModule: ShopModule = {
  name: 'imports',
  services({ db, eventLog, nudges, services }) {
    const { staff, productImport } = services;
    const imports = createImportService({ productImport });
    return { productImports: createProductImportsService({ db, eventLog, staff, nudges, imports }) };
  },
  nudges: ['productImport'],
  async work({ services: { productImports }, logger }) {
    const { createProductImportJob, startProductImportSweep } = await import('./product-imports.jobs.ts');
    return {
      jobs: { productImport: createProductImportJob(productImports) },
      nudges: ({ productImport }, enqueue) => ({
        productImport: (importId) => void enqueue(productImport, { importId }),
      }),
      upkeep: () => [startProductImportSweep({ imports: productImports, logger })],
    };
  },
  retention: () => [importFileRetention, importRetention],
  graphql: () =>
    Promise.all([
      import('./product-imports.graphql.ts'),
      import('./product-import-mutations.graphql.ts'),
      import('./product-import-changed.graphql.ts'),
    ]),
};

import type { ShopModule } from '../module.ts';
import { createReportService, type ReportService } from './report.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    reports: ReportService;
  }
}

/** Sums and counts over orders, carts and stock, for staff. Reads tables of other modules, and changes nothing. */
export const reportsModule: ShopModule = {
  name: 'reports',
  services: ({ db }) => ({ reports: createReportService({ db }) }),
  graphql: () => Promise.all([import('./sales-report.graphql.ts'), import('./shop-activity.graphql.ts')]),
};

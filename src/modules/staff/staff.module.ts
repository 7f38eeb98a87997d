import type { ShopModule } from '../module.ts';
import { createStaffService, type StaffService } from './staff.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    staff: StaffService;
  }
}

/** The record of what staff did, and what staff look after: failed jobs and parked events. */
export const staffModule: ShopModule = {
  name: 'staff',
  services: ({ db }) => ({ staff: createStaffService({ db }) }),
  graphql: () =>
    Promise.all([
      import('./staff.graphql.ts'),
      import('./failed-jobs.graphql.ts'),
      import('./parked-events.graphql.ts'),
      import('./system-health.graphql.ts'),
    ]),
};

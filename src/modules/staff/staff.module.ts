import { createParkedEvents, type ParkedEvents } from '../../events/parked-events.ts';
import type { ShopModule } from '../module.ts';
import {
  createFailedJobService,
  QueueAway,
  type FailedJobService,
  type FailedJobStore,
} from './failed-jobs.service.ts';
import { createStaffService, type StaffService } from './staff.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    staff: StaffService;
    parkedEvents: ParkedEvents;
    failedJobs: FailedJobService;
  }
  interface LateParts {
    /** Where failed jobs are; absent in processes without a job queue. */
    failedJobStore?: FailedJobStore;
  }
}

/** The record of what staff did, and what staff look after: failed jobs and parked events. */
export const staffModule: ShopModule = {
  name: 'staff',
  services({ db, late }) {
    const staff = createStaffService({ db });
    const store = () => {
      if (late.failedJobStore === undefined) throw new QueueAway();
      return late.failedJobStore;
    };
    return {
      staff,
      parkedEvents: createParkedEvents({ db, consumers: () => late.consumers ?? [] }),
      failedJobs: createFailedJobService({ db, staff, store }),
    };
  },
  graphql: () =>
    Promise.all([
      import('./staff.graphql.ts'),
      import('./failed-jobs.graphql.ts'),
      import('./parked-events.graphql.ts'),
      import('./system-health.graphql.ts'),
    ]),
};

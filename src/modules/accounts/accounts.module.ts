import type { ShopModule } from '../module.ts';
import { accountRetention, guestRetention } from './account.retention.ts';
import { createAccountService, type AccountService } from './account.service.ts';
import { createAdminService, type AdminService } from './admin.service.ts';
import { createGuestService, type GuestService } from './guest.service.ts';
import { createSessionService, type SessionService } from './session.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    guests: GuestService;
    sessions: SessionService;
    accounts: AccountService;
    admin: AdminService;
  }
}

/** Guests, users and sessions. */
export const accountsModule: ShopModule = {
  name: 'accounts',
  services({ config, db, eventLog, services }) {
    const { secrets, accounts } = config;
    const { staff } = services;
    const guests = createGuestService({ db, eventLog, secrets });
    const sessions = createSessionService({ db, eventLog, secrets, maxSeconds: accounts.sessionMaxSeconds });
    return {
      guests,
      sessions,
      accounts: createAccountService({ db, eventLog, sessions, services, secrets, config: accounts }),
      admin: createAdminService({ db, sessions, staff, config: accounts }),
    };
  },
  retention: ({ retention }) => [...accountRetention, guestRetention(retention.guestDays)],
  graphql: () =>
    Promise.all([
      import('./authentication.graphql.ts'),
      import('./account.loaders.graphql.ts'),
      import('./user.graphql.ts'),
      import('./users.graphql.ts'),
      import('./entry-mutations.graphql.ts'),
      import('./session-mutations.graphql.ts'),
      import('./email-confirmation.graphql.ts'),
      import('./password-reset.graphql.ts'),
    ]),
};

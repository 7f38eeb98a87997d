import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { emailAddress, parseInput, plainText } from '../input.ts';
import { changesBetween, type StaffService } from '../staff/staff.service.ts';
import { refuse } from '../user-error.ts';
import { findCredentialsByEmail, findUsers, insertUser, setPasswordHash, type User } from './account.repository.ts';
import * as repository from './admin.repository.ts';
import { createPasswords, newPassword } from './password.ts';
import type { Role, SessionService } from './session.service.ts';

/** An account that is to be an ADMIN's. */
export interface AdminAccount {
  email: string;
  name: string;
  password: string;
}

const adminAccount = z.object({ email: emailAddress, name: plainText(200), password: newPassword });

type HashedAccount = Omit<AdminAccount, 'password'> & { passwordHash: string };

/** The use cases of who runs the shop. */
export interface AdminService {
  /** Users, the newest first; those in whose name or address the words stand, whatever their capitals. */
  userPage(search: string | null, page: PageRequest): Promise<Page<User>>;
  userCount(search: string | null): Promise<number>;
  /**
   * Gives a user another role, and ends all of the user's sessions: what runs in them ran in the old one. The role that the
   * user has changes nothing.
   * @throws Refusal: NOT_FOUND; CONFLICT for the last ADMIN, and where the actor is none any more
   */
  updateRole(change: { userId: string; role: Role; actorId: string }): Promise<void>;
  /**
   * Makes an ADMIN. An account with this address becomes one, gets the password and loses its sessions, since another
   * person may have registered it.
   * @returns whether the account is new
   * @throws Refusal: INVALID_INPUT for a password that is none to choose
   */
  createAdmin(account: AdminAccount): Promise<{ created: boolean }>;
  /**
   * Creates the ADMIN only if there is none, even if several processes start at once.
   * @param account asked for only then
   * @returns whether one was made
   */
  ensureFirstAdmin(account: () => AdminAccount): Promise<boolean>;
}

/** Wires it. */
export function createAdminService(deps: {
  db: Database;
  sessions: Pick<SessionService, 'endAll'>;
  staff: StaffService;
  config: { bcryptCost: number };
}): AdminService {
  const { db, sessions, staff, config } = deps;
  const passwords = createPasswords({ cost: config.bcryptCost });

  async function setRole(tx: Transaction, user: User, role: Role, actorId: string | null): Promise<void> {
    const at = await readClock(tx);
    await repository.updateRole(tx, user.id, role, at);
    await sessions.endAll(tx, user.id, 'ROLE_CHANGED');
    const changes = changesBetween({ role: user.role }, { role });
    await staff.record(tx, at, { actorId, kind: 'USER_ROLE_UPDATED', subject: { type: 'User', id: user.id }, changes });
  }

  /** Takes over the account that is there, or makes one. */
  async function writeAdmin(
    tx: Transaction,
    { email, name, passwordHash }: HashedAccount,
  ): Promise<{ created: boolean }> {
    const made = await insertUser(tx, { id: uuid(), email, name, passwordHash });
    const id = made?.id ?? (await findCredentialsByEmail(tx, email))?.id;
    if (id === undefined) throw new Error('an address is taken by nobody');
    await repository.lockWithAdmins(tx, id);
    const [user] = await findUsers(tx, [id]);
    if (user === undefined) throw new Error(`user ${id} is gone under its lock`);
    const at = await readClock(tx);
    if (made === null) {
      await setPasswordHash(tx, id, passwordHash);
      await sessions.endAll(tx, id, 'PASSWORD_CHANGED');
    } else {
      await staff.record(tx, at, { actorId: null, kind: 'USER_CREATED', subject: { type: 'User', id } });
    }
    await repository.vouchForEmail(tx, id, at);
    if (user.role !== 'ADMIN') await setRole(tx, user, 'ADMIN', null);
    return { created: made !== null };
  }

  async function hashed(account: AdminAccount): Promise<HashedAccount> {
    const { password, ...rest } = parseInput(adminAccount, account);
    return { ...rest, passwordHash: await passwords.hash(password) };
  }

  return {
    userPage: (search, page) => repository.findUserPage(db, search, page),
    userCount: (search) => repository.countUsers(db, search),

    updateRole: ({ userId, role, actorId }) =>
      db.transaction(async (tx) => {
        await repository.lockWithAdmins(tx, userId);
        const [user] = await findUsers(tx, [userId]);
        if (user === undefined) refuse('NOT_FOUND', 'User not found.', ['userId']);
        const admins = await repository.findAdmins(tx);
        // The actor's own role may have been changed meanwhile.
        if (!admins.includes(actorId)) refuse('CONFLICT', 'You are no longer an ADMIN.');
        if (user.role === role) return;
        if (user.role === 'ADMIN' && admins.length === 1) {
          refuse('CONFLICT', 'This user is the last ADMIN. Assign the role to another user first.', ['role']);
        }
        await setRole(tx, user, role, actorId);
      }),

    async createAdmin(account) {
      const ready = await hashed(account);
      return db.transaction((tx) => writeAdmin(tx, ready));
    },

    async ensureFirstAdmin(account) {
      // Nearly always there is one, and no password need be hashed.
      if ((await repository.findAdmins(db)).length > 0) return false;
      const ready = await hashed(account());
      return db.transaction(async (tx) => {
        await repository.lockFirstAdmin(tx);
        if ((await repository.findAdmins(tx)).length > 0) return false;
        await writeAdmin(tx, ready);
        return true;
      });
    },
  };
}

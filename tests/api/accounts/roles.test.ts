import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  login,
  newEmail,
  newPerson,
  newStaff,
  openNode,
  PASSWORD,
  register,
  whoIs,
  type Person,
} from '../../support/accounts.ts';
import { adminCreate } from '../../../src/commands/admin-create.ts';
import { holdBarrier, watchLocks } from '../../support/barriers.ts';
import { rowsOf } from '../../support/books.ts';
import { callCommand } from '../../support/command.ts';
import type { Client } from '../../support/client.ts';
import { known } from '../../support/known.ts';
import { createEmptyDatabase } from '../../support/postgres.ts';
import { newDataDir, startProcess } from '../../support/shop-process.ts';
import { rowId } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { openSocket } from '../../support/socket.ts';
import { changingNothing } from '../../support/state.ts';
import { graphql } from '../../generated/gql/index.ts';
import type { Role } from '../../generated/gql/graphql.ts';

const documents = {
  users: graphql(`
    query RolesUsers($search: String, $first: Int, $after: String, $last: Int, $before: String) {
      users(search: $search, first: $first, after: $after, last: $last, before: $before) {
        nodes {
          id
          email
          name
          role
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
        totalCount
      }
    }
  `),
  update: graphql(`
    mutation RolesUpdate($input: UserRoleUpdateInput!) {
      userRoleUpdate(input: $input) {
        user {
          email
          role
        }
        errors {
          code
          path
        }
      }
    }
  `),
  actions: graphql(`
    query RolesActions($filter: StaffActionFilter) {
      staffActions(filter: $filter) {
        nodes {
          kind
          actor {
            email
          }
          subjectId
          changes {
            field
            before
            after
          }
        }
      }
    }
  `),
};

let shop: TestShop;
let other: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
  other = await openNode(shop);
});
afterAll(async () => {
  await other.dispose();
  await shop.dispose();
});

/** Tests of the last ADMIN need a shop that has no other. */
async function withShop(work: (own: TestShop) => Promise<void>): Promise<void> {
  const own = await createApiNode();
  try {
    await work(own);
  } finally {
    await own.dispose();
  }
}

async function update(client: Client, userId: string, role: Role) {
  const { userRoleUpdate } = await client.data(documents.update, { input: { userId, role } });
  const { user, errors } = known(userRoleUpdate);
  return { role: user?.role ?? null, faults: errors.map(({ code, path }) => [code, path?.join('.') ?? null]) };
}

async function rolesOf({ db }: TestShop, ...people: Person[]): Promise<string[]> {
  const rows = await rowsOf<{ id: string; role: string }>(db, 'SELECT id, role FROM users');
  return people.map((person) => known(rows.find((row) => row.id === rowId(person.userId))).role);
}

describe('users', () => {
  test('are listed newest first, and paged from both ends', () =>
    withShop(async (own) => {
      const admin = await newStaff(own, 'ADMIN');
      const people: Person[] = [];
      for (let index = 0; index < 5; index += 1) people.push(await newPerson(own));
      const newestFirst = [...people.toReversed(), admin].map((person) => person.email);

      const { users: all } = await admin.client.data(documents.users);
      expect(all?.nodes.map((user) => user.email)).toEqual(newestFirst);
      expect(all?.totalCount).toBe(6);

      const { users: one } = await admin.client.data(documents.users, { first: 4 });
      const { users: two } = await admin.client.data(documents.users, { first: 4, after: one?.pageInfo.endCursor });
      expect([...known(one).nodes, ...known(two).nodes].map((user) => user.email)).toEqual(newestFirst);
      expect(one?.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
      expect(two?.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
      const { users: back } = await admin.client.data(documents.users, {
        last: 3,
        before: two?.pageInfo.startCursor,
      });
      expect(back?.nodes.map((user) => user.email)).toEqual(newestFirst.slice(1, 4));
    }));

  test('are found by a part of name or address, whatever the capitals, and by nothing else', () =>
    withShop(async (own) => {
      const admin = await newStaff(own, 'ADMIN');
      const found = async (search: string) => {
        const { users } = await admin.client.data(documents.users, { search });
        expect(users?.totalCount).toBe(users?.nodes.length);
        return users?.nodes.map((user) => user.name);
      };
      await newPerson(own, { name: 'Åsa 100%', email: 'Asa.One@example.org' });
      await newPerson(own, { name: 'Bo_Berg' });
      expect(await found('åSA')).toEqual(['Åsa 100%']);
      expect(await found('one@EXAMPLE.org')).toEqual(['Åsa 100%']);
      expect(await found(' bo_b ')).toEqual(['Bo_Berg']);
      // What means "anything" in LIKE is meant as it stands.
      expect(await found('0%')).toEqual(['Åsa 100%']);
      expect(await found('a%e')).toEqual([]);
      expect(await found('o_e')).toEqual([]);
      expect(await found('\\')).toEqual([]);
      expect(await found('a\u0000b')).toEqual([]);
      expect(await found('')).toHaveLength(3);

      const { codes } = await admin.client.execute(documents.users, { search: 'x'.repeat(201) });
      expect(codes).toEqual(['BAD_REQUEST']);
    }));
});

describe('another role', () => {
  test('applies from then on, with an entry in the record', async () => {
    const [admin, person] = [await newStaff(shop, 'ADMIN'), await newPerson(shop)];
    expect((await person.client.execute(documents.actions)).codes).toEqual(['FORBIDDEN']);
    expect(await update(admin.client, person.userId, 'STAFF')).toEqual({ role: 'STAFF', faults: [] });

    const again = await login(shop.client(), { email: person.email });
    expect(again.user?.role).toBe('STAFF');
    const client = shop.client({ headers: { authorization: `Bearer ${again.accessToken}` } });
    expect(
      (await client.data(documents.actions, { filter: { subjectId: person.userId } })).staffActions?.nodes,
    ).toEqual([
      {
        kind: 'USER_ROLE_UPDATED',
        actor: { email: admin.email },
        subjectId: person.userId,
        changes: [{ field: 'role', before: 'CUSTOMER', after: 'STAFF' }],
      },
    ]);
    expect((await client.execute(documents.users)).codes).toEqual(['FORBIDDEN']);
    // Down again: what was open to staff is shut.
    expect(await update(admin.client, person.userId, 'CUSTOMER')).toEqual({ role: 'CUSTOMER', faults: [] });
    expect(await whoIs(client)).toEqual(['401', 'UNAUTHENTICATED']);
  });

  test('ends every session of the user, and closes its sockets with 4403, on every node', async () => {
    const [admin, person] = [await newStaff(shop, 'ADMIN'), await newStaff(shop)];
    const bystander = await newPerson(shop);
    const sockets = await Promise.all(
      [shop, other].map(async (node) => {
        const socket = await openSocket(node.wsUrl);
        await socket.init({ accessToken: person.accessToken });
        return socket;
      }),
    );
    await update(admin.client, person.userId, 'ADMIN');
    for (const socket of sockets) {
      expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden' });
    }
    expect(await whoIs(person.client)).toEqual(['401', 'UNAUTHENTICATED']);
    expect(await whoIs(bystander.client)).toBe(bystander.email);
  });

  test('that the user has already changes nothing, not even the sessions', async () => {
    const [admin, person] = [await newStaff(shop, 'ADMIN'), await newPerson(shop)];
    await changingNothing(shop, async () => {
      expect(await update(admin.client, person.userId, 'CUSTOMER')).toEqual({ role: 'CUSTOMER', faults: [] });
    });
    expect(await whoIs(person.client)).toBe(person.email);
  });

  test('needs an existing user', async () => {
    const admin = await newStaff(shop, 'ADMIN');
    const nobody = Buffer.from('User:00000000-0000-7000-8000-000000000000').toString('base64');
    await changingNothing(shop, async () => {
      const none = { role: null, faults: [['NOT_FOUND', 'userId']] };
      expect(await update(admin.client, nobody, 'STAFF')).toEqual(none);
      const bad = { role: null, faults: [['INVALID_INPUT', 'userId']] };
      expect(await update(admin.client, 'x', 'STAFF')).toEqual(bad);
    });
  });

  test('of one’s own is the end of what one may do, in the same operation already', async () => {
    const admin = await newStaff(shop, 'ADMIN');
    await newStaff(shop, 'ADMIN');
    const person = await newPerson(shop);
    const { data, errors } = await admin.client.execute<Record<'down' | 'after', { user: { role: string } } | null>>(
      `mutation ($me: ID!, $other: ID!) {
        down: userRoleUpdate(input: { userId: $me, role: STAFF }) { user { role } }
        after: userRoleUpdate(input: { userId: $other, role: ADMIN }) { user { role } }
      }`,
      { me: admin.userId, other: person.userId },
    );
    expect(data).toEqual({ down: { user: { role: 'STAFF' } }, after: null });
    expect(errors?.map(({ path, extensions }) => [path, extensions?.code])).toEqual([[['after'], 'UNAUTHENTICATED']]);
    expect(await rolesOf(shop, admin, person)).toEqual(['STAFF', 'CUSTOMER']);
  });

  test('got by logging in counts for the fields that follow', async () => {
    const staff = await newStaff(shop);
    const customer = await newPerson(shop);
    const asked = `mutation ($email: String!, $password: String!) {
      first: userRoleUpdate(input: { userId: "x", role: STAFF }) { errors { code } }
      login(input: { email: $email, password: $password }) { user { role } }
      after: userRoleUpdate(input: { userId: "x", role: STAFF }) { errors { code } }
    }`;
    const codes = async (email: string) => {
      const answer = await shop.client({ cookies: true }).execute(asked, { email, password: PASSWORD });
      return answer.codes;
    };
    expect(await codes(customer.email)).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
    expect(await codes(staff.email)).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
    const admin = await newStaff(shop, 'ADMIN');
    expect(await codes(admin.email)).toEqual(['UNAUTHENTICATED']);
  });
});

describe('the last ADMIN', () => {
  test('keeps the role', () =>
    withShop(async (own) => {
      const admin = await newStaff(own, 'ADMIN');
      await newStaff(own);
      for (const role of ['STAFF', 'CUSTOMER'] as const) {
        await changingNothing(own, async () => {
          expect(await update(admin.client, admin.userId, role)).toEqual({
            role: null,
            faults: [['CONFLICT', 'role']],
          });
        });
      }
      expect(await whoIs(admin.client)).toBe(admin.email);
    }));

  test('is left when two take the role from each other at once', () =>
    withShop(async (own) => {
      const [one, two] = [await newStaff(own, 'ADMIN'), await newStaff(own, 'ADMIN')];
      await using watch = await watchLocks(own.db);
      await using barrier = await holdBarrier(own.db, 'SELECT FROM users ORDER BY id FOR NO KEY UPDATE');
      const both = [update(one.client, two.userId, 'CUSTOMER'), update(two.client, one.userId, 'CUSTOMER')];
      await watch.untilWaiting(2);
      await barrier.release();
      const results = await Promise.all(both);
      // The slower one finds that it is no ADMIN any more.
      expect(results.map(({ role }) => role)).toContain('CUSTOMER');
      expect(results.flatMap(({ faults }) => faults)).toEqual([['CONFLICT', null]]);
      expect((await rolesOf(own, one, two)).toSorted()).toEqual(['ADMIN', 'CUSTOMER']);
    }));

  test('is left when each of several gives the role up', () =>
    withShop(async (own) => {
      const admins = await Promise.all(Array.from({ length: 5 }, () => newStaff(own, 'ADMIN')));
      const results = await Promise.all(admins.map((admin) => update(admin.client, admin.userId, 'CUSTOMER')));
      expect(results.filter(({ role }) => role === 'CUSTOMER')).toHaveLength(4);
      expect(results.flatMap(({ faults }) => faults)).toEqual([['CONFLICT', 'role']]);
      expect((await rolesOf(own, ...admins)).filter((role) => role === 'ADMIN')).toHaveLength(1);
    }));
});

const COMMON_PASSWORD = 'Invalid configuration:\n  ADMIN_PASSWORD is one of the most commonly used passwords\n';

describe('the first ADMIN', () => {
  const ADMIN = { ADMIN_EMAIL: 'boss@example.com', ADMIN_PASSWORD: 'a password for the boss' };

  async function admins({ db }: TestShop): Promise<{ email: string; verified: boolean }[]> {
    return rowsOf(db, `SELECT email, email_verified_at IS NOT NULL AS verified FROM users WHERE role = 'ADMIN'`);
  }

  test('is made at a start that finds none, once, however many nodes start', () =>
    withShop(async (own) => {
      const nodes = await Promise.all([1, 2, 3].map(() => openNode(own, ADMIN)));
      expect(await admins(own)).toEqual([{ email: 'boss@example.com', verified: true }]);
      const { user } = await login(own.client(), { email: 'boss@example.com', password: ADMIN.ADMIN_PASSWORD });
      expect(user?.role).toBe('ADMIN');
      await Promise.all(nodes.map((node) => node.dispose()));

      // Another address changes nothing once there is one.
      const later = await openNode(own, { ...ADMIN, ADMIN_EMAIL: 'else@example.com' });
      expect(await admins(own)).toHaveLength(1);
      await later.dispose();
    }));

  test('takes over an account that somebody else made with the address', () =>
    withShop(async (own) => {
      const squatter = await newPerson(own, { email: 'BOSS@example.com' });
      const node = await openNode(own, ADMIN);
      expect(await admins(own)).toEqual([{ email: 'BOSS@example.com', verified: true }]);
      expect(await whoIs(squatter.client)).toEqual(['401', 'UNAUTHENTICATED']);
      expect((await login(own.client(), { email: squatter.email })).errors.map(({ code }) => code)).toEqual([
        'INVALID_CREDENTIALS',
      ]);
      await node.dispose();
    }));

  test('of the demo has a password that is made, kept for the owner alone, and logs in with it', async () => {
    const DATA_DIR = newDataDir();
    const demo = await createApiNode({ env: { SEED: 'demo', DATA_DIR } });
    try {
      const file = join(DATA_DIR, 'admin-password');
      expect(demo.app.admin).toEqual({ email: 'admin@example.com', passwordFile: file });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const password = readFileSync(file, 'utf8');
      expect(password).toMatch(/^[\w-]{24}$/);
      expect((await login(demo.client(), { email: 'admin@example.com', password })).user?.role).toBe('ADMIN');
      expect(JSON.stringify(demo.logs)).not.toContain(password);
      // The next start says it again, and leaves it as it is.
      const next = await openNode(demo, { SEED: 'demo', DATA_DIR });
      expect(next.app.admin).toEqual(demo.app.admin);
      expect(readFileSync(file, 'utf8')).toBe(password);
      await next.dispose();
    } finally {
      await demo.dispose();
    }
  });

  test.each(['src/server.ts', 'src/worker.ts'])(
    'with a password that nobody may choose is refused before anything works: %s',
    async (entry) => {
      const database = await createEmptyDatabase();
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      try {
        const { exited, output } = startProcess(entry, {
          DATABASE_URL: database.url,
          DATA_DIR: newDataDir(),
          PORT: '0',
          LOG_LEVEL: 'info',
          ...ADMIN,
          ADMIN_PASSWORD: 'password123',
        });
        expect(await exited).toBe(1);
        expect(output()).toBe(COMMON_PASSWORD);
        // Neither the shop's tables nor those of the job queue: no consumer and no job was there to begin.
        const { rows } = await client.query(
          `SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
        );
        expect(rows).toEqual([]);
      } finally {
        await client.end();
        await database.dispose();
      }
    },
  );

  test('is not created without the settings', async () => {
    expect(shop.app.admin).toBeNull();
    expect(shop.config.accounts.adminEmail).toBeNull();
  });
});

describe('npm run admin:create', () => {
  async function run(own: TestShop, args: string[], env: NodeJS.ProcessEnv = {}) {
    const { database } = own.config;
    if (database.kind !== 'url') throw new Error('the shop has its own database');
    return callCommand(adminCreate, args, {
      DATABASE_URL: database.url,
      DATA_DIR: newDataDir(),
      BCRYPT_COST: '4',
      ...env,
    });
  }

  test('creates an ADMIN, records it, and takes over an existing account', () =>
    withShop(async (own) => {
      const email = newEmail();
      const made = await run(own, [email, '--name', 'Ada'], { ADMIN_PASSWORD: 'the first password' });
      expect(made).toMatchObject({ status: 0, output: `${email} is an ADMIN.\n` });
      const auth = await login(own.client(), { email, password: 'the first password' });
      expect(auth.user).toMatchObject({ name: 'Ada', role: 'ADMIN', emailVerified: true });

      const client = own.client({ headers: { authorization: `Bearer ${auth.accessToken}` } });
      const { staffActions } = await client.data(documents.actions, {
        filter: { subjectId: known(auth.user).id },
      });
      expect(staffActions?.nodes.map(({ kind, actor }) => [kind, actor])).toEqual([
        ['USER_ROLE_UPDATED', null],
        ['USER_CREATED', null],
      ]);

      const person = await newPerson(own);
      const taken = await run(own, [person.email], { ADMIN_PASSWORD: 'the second password' });
      expect(taken.status).toBe(0);
      expect(taken.output).toContain(`${person.email} had an account`);
      expect(await whoIs(person.client)).toEqual(['401', 'UNAUTHENTICATED']);
      expect((await login(own.client(), { email: person.email, password: 'the second password' })).user?.role).toBe(
        'ADMIN',
      );
    }));

  test('rejects an invalid address or password, and prints its usage', async () => {
    await changingNothing(shop, async () => {
      const weak = await run(shop, [newEmail()], { ADMIN_PASSWORD: 'password123' });
      expect(weak).toMatchObject({ status: 1, output: COMMON_PASSWORD });
      const nobody = await run(shop, ['nobody'], { ADMIN_PASSWORD: 'a password of nobody' });
      expect(nobody).toMatchObject({ status: 1, output: 'email is not an email address.\n' });
      const none = await run(shop, [newEmail()]);
      expect(none).toMatchObject({ status: 1, output: 'No password given.\n' });
      const usage = await run(shop, []);
      expect(usage.status).toBe(1);
      expect(usage.output).toContain('Usage: npm run admin:create -- EMAIL');
    });
  });
});

test('an account that is registered is a CUSTOMER, whatever else is sent along', async () => {
  const { user } = await register(shop.client());
  expect(user?.role).toBe('CUSTOMER');
  const { codes } = await shop
    .client()
    .execute(
      `mutation { register(input: { email: "x@example.com", password: "a fine password", name: "X", role: ADMIN }) { user { role } } }`,
    );
  expect(codes).toEqual(['GRAPHQL_VALIDATION_FAILED']);
});

import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createApiNode } from '../support/shop.ts';
import { AUTHORITY, startTlsProxy, type TlsProxy } from '../support/tls-proxy.ts';

let database: TestDatabase;
let proxy: TlsProxy;
let elsewhere: TlsProxy;
beforeAll(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(overTcp(database.url));
  proxy = await startTlsProxy({ host: hostname, port: Number(port) });
  elsewhere = await startTlsProxy({ host: hostname, port: Number(port) }, 'elsewhere');
});
afterAll(async () => {
  await proxy.dispose();
  await elsewhere.dispose();
  await database.dispose();
});

/** Opens a shop by an address with TLS, and gives what was wrong with it; null: nothing. */
async function start(parameters: string, { port } = proxy): Promise<string | null> {
  const url = new URL(overTcp(database.url));
  url.hostname = 'localhost';
  url.port = String(port);
  url.search = parameters;
  try {
    const shop = await createApiNode({ database, env: { DATABASE_URL: url.href } });
    try {
      const { data } = await shop.client().execute('{ products(first: 1) { totalCount } }');
      expect(data).toEqual({ products: { totalCount: 0 } });
    } finally {
      await shop.dispose();
    }
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each(['require', 'verify-full'])(
  'with sslmode=%s an unknown authority is refused, with what to set',
  async (mode) => {
    expect(await start(`sslmode=${mode}`)).toMatch(
      /not signed by an authority that this machine knows .*sslrootcert=\/path\/to\/ca\.pem/s,
    );
  },
);

test.each(['require', 'verify-ca', 'verify-full'])(
  'with sslmode=%s the authority that sslrootcert names is believed',
  async (mode) => {
    expect(await start(`sslmode=${mode}&sslrootcert=${AUTHORITY}`)).toBeNull();
  },
);

test('a host name that the certificate is not for is refused in words; verify-ca looks at the authority alone', async () => {
  expect(await start(`sslmode=verify-full&sslrootcert=${AUTHORITY}`, elsewhere)).toMatch(
    /for another host name.*verify-ca/s,
  );
  expect(await start(`sslmode=verify-ca&sslrootcert=${AUTHORITY}`, elsewhere)).toBeNull();
});

test('no-verify encrypts without a check', async () => {
  expect(await start('sslmode=no-verify')).toBeNull();
});

test('what sslrootcert names must be there, and sslmode must be known', async () => {
  expect(await start(`sslmode=require&sslrootcert=${join(inject('postgres').runFolder, 'none.pem')}`)).toMatch(
    /sslrootcert in DATABASE_URL names cannot be read: ENOENT/,
  );
  expect(await start(`sslmode=require&sslrootcert=${import.meta.filename}`)).toMatch(
    /has no certificate in PEM format/,
  );
  expect(await start('sslmode=verify-ca')).toMatch(/sslrootcert=\/path\/to\/ca\.pem must name the authority/);
  expect(await start('sslmode=please')).toMatch(/sslmode=please, which must be one of/);
});

test('a server without TLS says what to do', async () => {
  const url = new URL(overTcp(database.url));
  url.search = 'sslmode=require';
  await expect(createApiNode({ database, env: { DATABASE_URL: url.href } })).rejects.toThrow(
    /does not take encrypted connections: leave sslmode out of DATABASE_URL/,
  );
});

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, isLoopback, loadConfig } from '../../src/config/config.ts';
import { envNames } from '../../src/config/env.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'vitrine-config-'));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

const load = (env: Record<string, string> = {}) => loadConfig({ DATA_DIR: dataDir, ...env });

/** The names of the variables that are found wrong. */
function faultsOf(env: Record<string, string>): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => fault.name);
    throw error;
  }
}

const SECRET = 'a-secret-of-more-than-thirty-two-characters';

describe('defaults', () => {
  test('are those of one machine with nothing installed', () => {
    expect(load()).toMatchObject({
      production: false,
      roles: ['api', 'worker'],
      http: {
        host: '127.0.0.1',
        port: 4000,
        publicUrl: null,
        corsOrigins: [],
        graphiql: true,
        cookieSameSite: 'lax',
        trustedProxies: 0,
      },
      shop: { name: 'Vitrine', currency: 'USD' },
      database: { kind: 'embedded', dataDir, poolSize: 16 },
      redisUrl: null,
      rateLimits: true,
      seed: 'demo',
      cart: { holdSeconds: 900, maxHoldSeconds: 3600, maxUnitsPerVariant: 99, maxLines: 100, networkSharePercent: 50 },
      lowStockThreshold: 3,
    });
  });

  test('an empty value counts as left out', () => {
    expect(load({ PORT: '', SHOP_NAME: '  ' })).toMatchObject({ http: { port: 4000 }, shop: { name: 'Vitrine' } });
  });

  test.each([
    ['off', 0],
    ['0', 0],
    ['1', 1],
    ['10', 10],
  ])('TRUST_PROXY=%s believes %i proxies', (TRUST_PROXY, trustedProxies) => {
    expect(load({ TRUST_PROXY }).http.trustedProxies).toBe(trustedProxies);
    expect(load({ RATE_LIMITS: 'off' }).rateLimits).toBe(false);
  });

  test('a database of the outside is not seeded unless that is asked for', () => {
    const DATABASE_URL = 'postgresql://shop@db.example/shop';
    expect(load({ DATABASE_URL }).seed).toBe('none');
    expect(load({ DATABASE_URL, SEED: 'demo' }).seed).toBe('demo');
  });

  test('the secret is made once, kept, and for the owner alone', () => {
    const [first] = load().secrets;
    expect(load().secrets).toEqual([first]);
    const file = join(dataDir, 'jwt-secret');
    expect(readFileSync(file, 'utf8')).toBe(first);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(load({ JWT_SECRET: `${SECRET}, ${SECRET}-before` }).secrets).toEqual([SECRET, `${SECRET}-before`]);
  });
});

const PRODUCTION = { NODE_ENV: 'production', JWT_SECRET: SECRET };

describe('faults', () => {
  test('are all reported at once, each with its variable, and no value of any', () => {
    const env = {
      PORT: '70000',
      HOST: 'not a host',
      ROLES: 'api,cook',
      DATABASE_URL: 'mysql://root:hunter2@db/shop',
      JWT_SECRET: 'hunter2',
      SHOP_CURRENCY: 'XXZ',
      CART_HOLD_SECONDS: '1.5',
      PUBLIC_URL: 'https://shop.example/path',
      CORS_ORIGINS: 'https://ok.example,nonsense',
      GRAPHIQL: 'maybe',
      TRUST_PROXY: '11',
      RATE_LIMITS: 'some',
    };
    expect(faultsOf(env).toSorted()).toEqual(Object.keys(env).toSorted());
    expect(() => load(env)).toThrow(/^Invalid configuration:\n {2}PORT must be between 0 and 65535\n/);
    expect(() => load(env)).not.toThrow(/hunter2|70000|nonsense/);
  });

  test.each([
    [{ CART_MAX_HOLD_SECONDS: '60' }, ['CART_MAX_HOLD_SECONDS']],
    [{ CART_HOLD_SECONDS: '7200' }, []],
    [{ COOKIE_SAMESITE: 'none' }, ['COOKIE_SAMESITE']],
    [{ COOKIE_SAMESITE: 'none', PUBLIC_URL: 'https://shop.example' }, []],
    [{ COOKIE_DOMAIN: 'shop.example' }, ['COOKIE_DOMAIN']],
    [{ COOKIE_DOMAIN: 'shop.example', PUBLIC_URL: 'http://api.shop.example' }, []],
    [{ COOKIE_DOMAIN: 'shop.example', PUBLIC_URL: 'https://api.shop.example', ...PRODUCTION }, []],
    [{ COOKIE_DOMAIN: 'shop.example', PUBLIC_URL: 'http://api.shop.example', ...PRODUCTION }, ['COOKIE_DOMAIN']],
    [{ COOKIE_DOMAIN: 'shop.example', PUBLIC_URL: 'https://api.workshop.example' }, ['COOKIE_DOMAIN']],
    [{ COOKIE_DOMAIN: 'api.shop.example', PUBLIC_URL: 'https://shop.example' }, ['COOKIE_DOMAIN']],
    [{ NODE_ENV: 'production' }, ['JWT_SECRET']],
    [{ NODE_ENV: 'production', JWT_SECRET: 'short' }, ['JWT_SECRET']],
    [{ NODE_ENV: 'production', JWT_SECRET: SECRET }, []],
    [{ NODE_ENV: 'production', JWT_SECRET: SECRET, ROLES: 'worker' }, ['PUBLIC_URL']],
    [{ NODE_ENV: 'production', JWT_SECRET: SECRET, ROLES: 'worker', PUBLIC_URL: 'https://shop.example' }, []],
    [{ NODE_ENV: 'production', JWT_SECRET: SECRET, ROLES: 'api' }, []],
    [{ ROLES: 'worker' }, []],
    [{ HOST: '0.0.0.0' }, ['JWT_SECRET']],
    [{ HOST: '0.0.0.0', DEMO: '1' }, []],
  ])('%j is refused for %j', (env, names) => {
    expect(faultsOf(env as Record<string, string>)).toEqual(names);
  });
});

describe('COOKIE_DOMAIN', () => {
  test.each([
    ['shop.example', 'shop.example'],
    ['.Shop.Example', 'shop.example'],
    ['api.shop.example', 'api.shop.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['shop.localhost', 'shop.localhost'],
    ['shop.local', 'shop.local'],
  ])('%s is taken as %s', (given, taken) => {
    const config = load({ COOKIE_DOMAIN: given, PUBLIC_URL: `https://api.${taken}` });
    expect(config.http.cookieDomain).toBe(taken);
    expect(load({}).http.cookieDomain).toBeNull();
  });

  test.each([
    'localhost',
    'example',
    '127.0.0.1',
    '0x7f.1',
    '[::1]',
    '::1',
    'shop.example:443',
    'https://shop.example',
    '*.shop.example',
    'shop..example',
    'a b.example',
    'shop.example/x',
  ])('%s is refused: it is no domain', (given) =>
    expect(faultsOf({ COOKIE_DOMAIN: given, PUBLIC_URL: 'https://api.shop.example' })).toEqual(['COOKIE_DOMAIN']),
  );

  test.each(['co.uk', 'com.au', 'github.io', 'vercel.app', 'herokuapp.com', 's3.amazonaws.com'])(
    '%s: a public suffix is refused, and a domain under it is taken',
    (suffix) => {
      const under = (domain: string) => faultsOf({ COOKIE_DOMAIN: domain, PUBLIC_URL: `https://api.shop.${suffix}` });
      expect(under(suffix)).toEqual(['COOKIE_DOMAIN']);
      expect(under(`shop.${suffix}`)).toEqual([]);
    },
  );
});

describe('CORS_ORIGINS', () => {
  test.each([
    ['https://front.example', 'https://front.example'],
    ['HTTPS://Front.example/', 'https://front.example'],
    ['https://front.example:443', 'https://front.example'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://*.front.example', 'https://*.front.example'],
    ['https://Shop-*.front.example:443/', 'https://shop-*.front.example'],
    ['http://*.localhost:3000', 'http://*.localhost:3000'],
  ])('%s is kept as %s', (given, kept) => {
    expect(load({ CORS_ORIGINS: given }).http.corsOrigins).toEqual([kept]);
  });

  test.each([
    '*',
    'https://*',
    'https://*.com',
    'https://*.*.example.com',
    'https://**.example.com',
    'https://front.*.com',
    'https://front.example.*',
    '*.example.com',
    'https://*.example.com/path',
    'https://%2A.example.com',
    'https://front.example?',
    'https://user@front.example',
    'null',
    'file:///page.html',
  ])('%s can never match, and is refused', (given) => {
    expect(faultsOf({ CORS_ORIGINS: given })).toEqual(['CORS_ORIGINS']);
  });

  test('no other address takes a wildcard', () => {
    const env = {
      PUBLIC_URL: 'https://*.example.com',
      STOREFRONT_URL: 'https://*.example.com/shop',
      ALLOWED_HOSTS: '*.example.com',
    };
    expect(faultsOf(env).toSorted()).toEqual(Object.keys(env).toSorted());
  });
});

test.each(['api,10.0.0.7:4000,[::1]', 'API , 10.0.0.7:4000 , [::1]'])('ALLOWED_HOSTS=%s', (given) => {
  expect(load({ ALLOWED_HOSTS: given }).http.allowedHosts).toEqual(['api', '10.0.0.7:4000', '[::1]']);
});

test.each(['http://api', 'api/', 'api:99999', 'api:', 'a b'])('ALLOWED_HOSTS=%s is refused', (given) => {
  expect(faultsOf({ ALLOWED_HOSTS: given })).toEqual(['ALLOWED_HOSTS']);
});

test('quotes that a shell would have removed are removed, those within a value are kept', () => {
  expect(load({ SHOP_NAME: "'My Shop'", PORT: '"4001"' })).toMatchObject({
    shop: { name: 'My Shop' },
    http: { port: 4001 },
  });
  expect(load({ SHOP_NAME: "Honey & 'Sons'" }).shop.name).toBe("Honey & 'Sons'");
  expect(load({ SHOP_NAME: '"' }).shop.name).toBe('"');
  expect(load({ SHOP_NAME: '""' }).shop.name).toBe('Vitrine');
});

test('only an API in production drains by itself before it stops', () => {
  const production = { NODE_ENV: 'production', JWT_SECRET: SECRET, PUBLIC_URL: 'https://shop.example' };
  expect(load().http.drainSeconds).toBe(0);
  expect(load(production).http.drainSeconds).toBe(5);
  expect(load({ ...production, ROLES: 'worker' }).http.drainSeconds).toBe(0);
  expect(load({ ...production, DRAIN_SECONDS: '20' }).http.drainSeconds).toBe(20);
});

test('what a process is to do, whatever ROLES says, is checked as such', () => {
  const env = { DATA_DIR: '/nowhere', NODE_ENV: 'production', JWT_SECRET: SECRET };
  expect(() => loadConfig(env, ['worker'])).toThrow(/PUBLIC_URL is required in production for worker-only processes/);
  expect(loadConfig({ ...env, PUBLIC_URL: 'https://shop.example' }, ['worker']).roles).toEqual(['worker']);
  expect(loadConfig({ ...env, ROLES: 'worker' }, ['api']).roles).toEqual(['api']);
});

describe('mail', () => {
  test.each(['shop@example.com', 'The Honey Shop <shop@example.com>'])('may come from %s', (from) => {
    expect(load({ MAIL_FROM: from }).mail).toEqual({ smtpUrl: null, from });
  });

  test.each(['shop', 'Shop <shop>', 'a@example.com, b@example.com', 'Shop <a@example.com>\nBcc: b@example.com'])(
    'does not come from %j',
    (from) => {
      expect(() => load({ MAIL_FROM: from })).toThrow('MAIL_FROM must be an email address');
    },
  );

  test('needs a sender in production', () => {
    const env = { NODE_ENV: 'production', JWT_SECRET: SECRET, SMTP_URL: 'smtp://user:pass@mail.example' };
    expect(() => load(env)).toThrow(/MAIL_FROM is required in production if SMTP_URL is set$/);
    expect(load({ ...env, MAIL_FROM: 'shop@example.com' }).mail.smtpUrl).toBe(env.SMTP_URL);
  });
});

test('the front end may be below a path', () => {
  expect(load({ STOREFRONT_URL: 'https://shop.example/de/' }).shop.storefrontUrl).toBe('https://shop.example/de');
});

describe('production', () => {
  test.each([
    [{ NODE_ENV: 'production', JWT_SECRET: SECRET }, true],
    [{ HOST: '0.0.0.0', JWT_SECRET: SECRET }, true],
    [{ HOST: '0.0.0.0', DEMO: '1' }, false],
    [{ HOST: '::1' }, false],
    [{ NODE_ENV: 'development' }, false],
  ])('%j: %j, and GraphiQL is off there unless asked for', (env, production) => {
    const given = env as Record<string, string>;
    expect(load(given)).toMatchObject({ production, http: { graphiql: !production } });
    expect(load({ ...given, GRAPHIQL: 'on' }).http.graphiql).toBe(true);
  });

  test.each([
    ['too short in characters, though not in UTF-16', '😀'.repeat(9), 'must have at least 10 characters'],
    ['too long', 'x'.repeat(201), 'must have at most 200 characters'],
    ['common', 'Password123', 'is one of the most commonly used passwords'],
    ['long in UTF-16 only', '😀'.repeat(200), null],
    ['nobody else has', 'a password for the boss', null],
  ])('the password of the first ADMIN, %s, is judged like that of a user', (_what, ADMIN_PASSWORD, problem) => {
    const env = { ADMIN_EMAIL: 'boss@example.com', ADMIN_PASSWORD };
    if (problem === null) expect(load(env).accounts.adminPassword).toBe(ADMIN_PASSWORD);
    else expect(() => load(env)).toThrow(new ConfigError([{ name: 'ADMIN_PASSWORD', problem }]));
  });

  test('what is loopback and what is not', () => {
    expect(['localhost', '127.0.0.1', '127.8.8.8', '::1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '128.0.0.1'].some(isLoopback)).toBe(false);
  });
});

test('the settings page names every variable', () => {
  const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  expect(envNames.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name}=`))).toEqual([]);
});

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { buildSchema, isInterfaceType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { readWebFiles } from '../../src/http/web/web-files.ts';
import { possibleTypes } from '../../src/web/shared/possible-types.ts';
import { makeProduct } from '../support/fixtures.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { ensureWebBuild, WEB_BUILD } from '../support/web-build.ts';

// How the shop window and the dashboard are served: which paths, with which headers, and what a page says of itself.

const PUBLIC = 'https://shop.example';
const VISIT = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

let shop: TestShop;
let off: TestShop;
beforeAll(async () => {
  await ensureWebBuild();
  [shop, off] = await Promise.all([
    createTestShop({ env: { WEB: 'on', NODE_ENV: 'production', PUBLIC_URL: PUBLIC, SHOP_NAME: 'Bees & Co' } }),
    createTestShop({ env: { WEB: 'off' } }),
  ]);
});
afterAll(() => Promise.all([shop.dispose(), off.dispose()]));

const ask = (path: string, headers: Record<string, string> = VISIT) =>
  shop.request({ path, headers: { host: 'shop.example', ...headers } });

const scriptOf = (body: string) => /src="(\/assets\/[^"]+\.js)"/.exec(body)?.[1] ?? '';

describe('pages', () => {
  test.each([
    ...['/', '/products', '/categories/raw-honey', '/cart', '/checkout', '/order?token=x', '/log-in', '/register'],
    ...['/forgotten-password', '/reset-password?token=x', '/confirm-email?token=x', '/stock-alert?token=x'],
    ...['/account', '/account/orders/1', '/dashboard', '/dashboard/orders/1'],
  ])('%s is a page that is never kept and runs no inline script', async (path) => {
    const { status, headers, body } = await ask(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(body).toContain('<div id="root"></div>');
    expect(scriptOf(body)).toMatch(path.startsWith('/dashboard') ? /dashboard/ : /shop/);
  });

  test('load nothing from Stripe unless there is a publishable key, and the dashboard never does', async () => {
    const env = { WEB: 'on', STRIPE_SECRET_KEY: 'sk_test_x' };
    const [secretOnly, both] = await Promise.all([
      createTestShop({ env, overrides: { quiet: true } }),
      createTestShop({ env: { ...env, STRIPE_PUBLISHABLE_KEY: 'pk_test_x' }, overrides: { quiet: true } }),
    ]);
    try {
      const policy = async ({ request }: TestShop, path: string) =>
        String((await request({ path, headers: VISIT })).headers['content-security-policy']);
      for (const path of ['/', '/checkout', '/dashboard']) {
        expect(await policy(secretOnly, path)).not.toContain('stripe');
        expect(await policy(secretOnly, path)).not.toContain('frame-src');
      }
      expect(await policy(both, '/dashboard')).not.toContain('stripe');
      for (const path of ['/', '/checkout']) {
        const parts = (await policy(both, path)).split('; ');
        expect(parts).toContain("script-src 'self' https://js.stripe.com https://*.js.stripe.com");
        expect(parts).toContain('frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com');
        expect(parts).toContain("connect-src 'self' https://api.stripe.com");
        expect(parts).toContain("style-src 'self'");
        expect(parts.filter((part) => part.includes('stripe'))).toHaveLength(3);
      }
    } finally {
      await Promise.all([secretOnly.dispose(), both.dispose()]);
    }
  });

  test('programs that show previews get the page of a product, and scripts that ask for JSON do not', async () => {
    expect((await ask('/', { accept: '*/*' })).headers['content-type']).toBe('text/html; charset=utf-8');
    expect((await ask('/', {})).headers['content-type']).toBe('text/html; charset=utf-8');
    for (const headers of [{ accept: 'application/json' }, { ...VISIT, 'sec-fetch-mode': 'cors' }]) {
      expect((await ask('/products', headers)).json()).toEqual({ error: 'Not found.' });
    }
  });

  test('unknown paths get 404', async () => {
    for (const path of ['/nothing', '/assets/nothing.js', '/assets/', '/dashboards', '/products/a/b'])
      expect((await ask(path)).status).toBe(404);
  });

  test('pages of mails lead on to the plain ones where scripts are off, and without the shop window', async () => {
    const token = 'a"b<c';
    for (const path of ['/order', '/confirm-email', '/reset-password', '/stock-alert']) {
      const { body } = await ask(`${path}?token=${encodeURIComponent(token)}`);
      expect(body).toContain(`<a href="/mail${path}?token=a%22b%3Cc">Go on without scripts</a>`);
      const plain = await off.request({ path: `${path}?token=x`, headers: VISIT });
      expect([plain.status, plain.headers.location]).toEqual([302, `/mail${path}?token=x`]);
    }
  });

  test('documents are answered under the paths of pages alone', async () => {
    expect((await ask('/shop/index.html')).status).toBe(404);
  });
});

describe('files', () => {
  test('are compressed as the client takes it, kept for a year, and compared by their digest', async () => {
    const path = scriptOf((await ask('/')).body);
    const plain = await ask(path, {});
    expect(plain.status).toBe(200);
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
    });
    expect(plain.headers['content-encoding']).toBeUndefined();

    const encodingFor = async (accepted: string) =>
      (await ask(path, { 'accept-encoding': accepted })).headers['content-encoding'];
    expect(await encodingFor('gzip, deflate, br')).toBe('br');
    expect(await encodingFor('gzip')).toBe('gzip');
    expect(await encodingFor('br;q=0, gzip;q=0')).toBeUndefined();

    const again = await ask(path, { 'if-none-match': String(plain.headers.etag) });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  test('hold the same content in every encoding', async () => {
    const files = await readWebFiles(WEB_BUILD);
    const path = scriptOf(files.document('shop/index.html') ?? '').slice(1);
    const bytesOf = async (encoding: string) =>
      Buffer.from((await files.answer(path, { 'accept-encoding': encoding })?.arrayBuffer()) ?? new ArrayBuffer(0));
    const plain = await bytesOf('');
    expect(plain.length).toBeGreaterThan(100);
    expect(brotliDecompressSync(await bytesOf('br'))).toEqual(plain);
    expect(gunzipSync(await bytesOf('gzip'))).toEqual(plain);
  });

  test('a folder without a build has none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'web-'));
    try {
      const files = await readWebFiles(folder);
      expect([files.document('shop/index.html'), files.answer('favicon.svg', {})]).toEqual([null, null]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('what a browser loads', () => {
  const MOST = { shop: 150_000, dashboard: 300_000 };

  test.each(['shop', 'dashboard'] as const)('%s: its scripts at first load are small', async (app) => {
    const files = await readWebFiles(WEB_BUILD);
    const document = files.document(`${app}/index.html`) ?? '';
    const scripts = [...document.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, path = '']) => path);
    expect(scripts.length).toBeGreaterThan(1);
    const sizes = await Promise.all(
      scripts.map(
        async (path) =>
          (await files.answer(path, { 'accept-encoding': 'gzip' })?.arrayBuffer())?.byteLength ?? Infinity,
      ),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(MOST[app]);
  });

  test('nothing comes from another site', async () => {
    const files = await readWebFiles(WEB_BUILD);
    for (const app of ['shop', 'dashboard'])
      expect(files.document(`${app}/index.html`)).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('the cache knows every type of the interfaces that it is asked about', () => {
    const schema = buildSchema(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
    for (const [name, types] of Object.entries(possibleTypes)) {
      const type = schema.getType(name);
      if (!isInterfaceType(type)) throw new Error(`${name} is no interface`);
      expect(
        schema
          .getPossibleTypes(type)
          .map((each) => each.name)
          .toSorted(),
      ).toEqual(types);
    }
  });
});

describe('what a page says of itself', () => {
  test('the front page: its title, what it is, and structured data', async () => {
    const { body } = await ask('/');
    expect(body).toContain('<title>Bees &amp; Co</title>');
    expect(body).toContain('<meta property="og:site_name" content="Bees &amp; Co" />');
    expect(jsonLdOf(body)).toMatchObject({ '@type': 'WebSite', name: 'Bees & Co', url: `${PUBLIC}/` });
  });

  test('a product: title, description, picture, price and stock of each variant, nothing that could run', async () => {
    await makeProduct(
      { ...shop, eventLog: shop.app.eventLog },
      {
        title: 'Chilli </script><script>alert(1)</script> honey',
        slug: 'chilli-honey',
        description: 'Hot & "sweet".',
        images: [{ url: '/images/chilli-honey.svg', altText: 'A jar' }],
        variants: [
          { sku: 'HOT', price: 950, onHand: 3, options: [{ name: 'Jar', value: 'Small' }] },
          { sku: 'GONE', price: 1900, onHand: 0, options: [{ name: 'Jar', value: 'Large' }] },
        ],
      },
    );
    const { status, body } = await ask('/products/chilli-honey');
    expect(status).toBe(200);
    expect(body).toContain('<meta name="description" content="Hot &amp; &quot;sweet&quot;." />');
    expect(body).toContain(`<meta property="og:image" content="${PUBLIC}/images/chilli-honey.svg" />`);
    expect(body).toContain(`<link rel="canonical" href="${PUBLIC}/products/chilli-honey" />`);
    expect(body).not.toContain('<script>alert');
    expect(jsonLdOf(body)).toEqual({
      '@context': 'https://schema.org',
      '@type': 'Product',
      name: 'Chilli </script><script>alert(1)</script> honey',
      description: 'Hot & "sweet".',
      url: `${PUBLIC}/products/chilli-honey`,
      image: [`${PUBLIC}/images/chilli-honey.svg`],
      offers: [
        expect.objectContaining({ sku: 'HOT', price: '9.50', availability: 'https://schema.org/InStock' }),
        expect.objectContaining({ sku: 'GONE', price: '19.00', availability: 'https://schema.org/OutOfStock' }),
      ],
    });
  });

  test('a product that shoppers may not see gets 404 without a trace of its data', async () => {
    const world = { ...shop, eventLog: shop.app.eventLog };
    const { slug } = await makeProduct(world, { status: 'DRAFT', variants: [{ onHand: 1 }] });
    for (const path of [`/products/${slug}`, '/products/not-there', '/products/%C3%A9']) {
      const { status, body } = await ask(path);
      expect(status).toBe(404);
      expect(body).toContain('<title>There is nothing here · Bees &amp; Co</title>');
      expect(body).not.toContain('ld+json');
    }
  });
});

describe('where the web apps are off', () => {
  test('WEB=off serves no page of the web apps', async () => {
    for (const path of ['/products', '/dashboard', '/assets/x.js', '/favicon.svg'])
      expect((await off.request({ path, headers: VISIT })).status).toBe(404);
    expect((await off.request({ path: '/', headers: VISIT })).headers.location).toBe('/graphql');
  });

  test('a worker alone has none, whatever WEB says', () => {
    const env = { DATABASE_URL: 'postgresql://localhost/x', JWT_SECRET: 'x'.repeat(32), SMTP_URL: 'smtp://localhost' };
    expect(loadConfig({ ...env, ROLES: 'worker', WEB: 'on' }).http.web).toBe(false);
    expect(loadConfig({ ...env, ROLES: 'api' }).http.web).toBe(true);
  });
});

function jsonLdOf(body: string): unknown {
  const found = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(body)?.[1];
  return found === undefined ? null : (JSON.parse(found) as unknown);
}

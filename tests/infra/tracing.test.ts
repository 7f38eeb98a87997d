import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newEmail, register } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { deliver, deliveriesOf, newEntryId, SECRET } from '../support/contentful.ts';
import { startCollector, type Collector, type ReceivedSpan } from '../support/collector.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { startPayment } from '../support/payer.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { newDataDir, startProcess } from '../support/shop-process.ts';
import { enter } from '../support/shopper.ts';
import { createTestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** Names of the spans above a span, from the first of the trace down to the span itself. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent === undefined ? [] : pathOf(parent, spans)), span.name];
}

/** Opens a shop that is traced, has somebody register, waits for the welcome email, and closes the shop. */
async function traceRegistration(
  collector: Collector,
  { env = {}, headers = {} }: { env?: NodeJS.ProcessEnv; headers?: Record<string, string> } = {},
): Promise<{ email: string; spans: readonly ReceivedSpan[]; warnings: string[] }> {
  const seen = collector.spans.length;
  const shop = await createTestShop({
    env: { DATA_DIR: newDataDir(), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  });
  const email = newEmail();
  try {
    await until('the consumer has its place in the log', async () => {
      const found = await rowsOf(shop.db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
      return found.length === 1;
    });
    await register(shop.client({ headers }), { email });
    await until('the welcome is sent', async () => {
      const sent = await rowsOf(shop.db, `SELECT FROM mails WHERE recipient = $1 AND status = 'SENT'`, [email]);
      return sent.length === 1;
    });
  } finally {
    await shop.dispose();
  }
  return { email, spans: collector.spans.slice(seen), warnings: shop.logs.map(({ msg }) => msg) };
}

describe('traces', () => {
  let collector: Collector;
  let redis: TestRedis | null = null;
  beforeAll(async () => {
    collector = await startCollector();
    if (hasRedis('A trace through jobs')) redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.dispose();
    await collector[Symbol.asyncDispose]();
  });

  test.each([
    ['PostgreSQL', () => ({})],
    ['Redis', () => (redis === null ? null : { REDIS_URL: redis.url })],
  ])('a mutation, its statements, its job and its email are one trace; jobs on %s', async (_, envOf) => {
    const env = envOf();
    if (env === null) return;
    const key = 'Bearer, with a comma';
    const headers = `x-key=${encodeURIComponent(key)},x-other=1`;
    const { email, spans } = await traceRegistration(collector, {
      env: { ...env, OTEL_EXPORTER_OTLP_HEADERS: headers },
    });

    const operation = spans.find(({ name }) => name === 'mutation register');
    const ofTrace = spans.filter(({ traceId }) => traceId === operation?.traceId);
    const paths = ofTrace.map((span) => pathOf(span, ofTrace).join(' > '));
    const request = 'POST /graphql > mutation register';
    const mail = `${request} > consumer mail-notices > job mail > mail welcome`;
    expect(paths).toEqual(
      expect.arrayContaining([
        'POST /graphql',
        request,
        `${request} > event_log_append`,
        `${request} > COMMIT`,
        `${request} > consumer mail-notices > mail_insert`,
        mail,
        `${mail} > letter_user`,
        `${mail} > mail_sent`,
      ]),
    );
    expect(ofTrace.find(({ name }) => name === 'mutation register')?.attributes).toEqual({
      'graphql.operation.type': 'mutation',
      'vitrine.graphql.field': 'register',
      'vitrine.graphql.outcome': 'ok',
    });
    expect(ofTrace.find(({ name }) => name === 'mail welcome')?.attributes['vitrine.mail.outcome']).toBe('SENT');
    expect(collector.headers()).toMatchObject({ 'x-key': key, 'x-other': '1' });
    // Values of statements, such as the address, are not part of a trace.
    expect(JSON.stringify(spans)).not.toContain(email);
    // The relay and the polls of consumers belong to no request.
    expect(ofTrace.map(({ name }) => name).filter((name) => /^(relay|consumer_)/.test(name))).toEqual([]);
  });

  test('a trusted proxy says which trace a request continues; nobody else can', async () => {
    const traceId = hex(16);
    const traceparent = `00-${traceId}-${hex(8)}-01`;
    const traced = await traceRegistration(collector, { env: { TRUST_PROXY: '1' }, headers: { traceparent } });
    const untrusted = await traceRegistration(collector, { headers: { traceparent } });

    const traceOf = ({ spans }: typeof traced) => spans.find(({ name }) => name === 'mutation register')?.traceId;
    expect(traceOf(traced)).toBe(traceId);
    expect(traceOf(untrusted)).toMatch(/^[\da-f]{32}$/);
    expect(traceOf(untrusted)).not.toBe(traceId);
  });

  test('a call of a payment provider, the job that applies it, the order and its email are one trace', async () => {
    const seen = collector.spans.length;
    const shop = await createTestShop({
      env: { DATA_DIR: newDataDir(), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, PAYMENT_PROVIDERS: 'test' },
    });
    const email = newEmail();
    try {
      await until('the consumer has its place in the log', async () => {
        const found = await rowsOf(shop.db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
        return found.length === 1;
      });
      const { sku } = await makeVariant({ ...shop, eventLog: shop.app.eventLog }, { onHand: 5 });
      const shopper = await enter(shop);
      await shopper.add({ sku, quantity: 1 });
      await shopper.setEmail(email);
      const { clientData } = await startPayment(shopper.client, { provider: 'test' });
      const body = new URLSearchParams({ outcome: 'pay' });
      await fetch(known(clientData?.redirectUrl), { method: 'POST', body, redirect: 'manual' });
      await until('the confirmation of the order is sent', async () => {
        const sent = await rowsOf(shop.db, `SELECT FROM mails WHERE recipient = $1 AND status = 'SENT'`, [email]);
        return sent.length === 1;
      });
    } finally {
      await shop.dispose();
    }
    const spans = collector.spans.slice(seen);
    const mail = spans.find(({ name }) => name === 'mail order-placed');
    const ofTrace = spans.filter(({ traceId }) => traceId === mail?.traceId);
    const paths = ofTrace.map((span) => pathOf(span, ofTrace).join(' > '));
    const call = 'POST /webhooks/test';
    const job = `${call} > job webhook-delivery`;
    expect(paths).toEqual(
      expect.arrayContaining([
        call,
        `${call} > webhook_delivery_insert`,
        `${call} > COMMIT`,
        `${job} > webhook_delivery_attempt`,
        `${job} > webhook_delivery_settle`,
        `${job} > consumer mail-notices > job mail > mail order-placed`,
      ]),
    );
    expect(ofTrace.find(({ name }) => name === call)?.attributes).toEqual({
      'http.request.method': 'POST',
      'url.path': '/webhooks/test',
      'vitrine.webhook.outcome': 'STORED',
    });
    expect(JSON.stringify(spans)).not.toContain(email);
  });

  test('orders that are placed at the same time have traces of their own, each with its events and its email', async () => {
    const seen = collector.spans.length;
    const shop = await createTestShop({
      env: { DATA_DIR: newDataDir(), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    const emails = Array.from({ length: 5 }, () => newEmail());
    try {
      await until('the consumer has its place in the log', async () => {
        const found = await rowsOf(shop.db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
        return found.length === 1;
      });
      const { sku } = await makeVariant({ ...shop, eventLog: shop.app.eventLog }, { onHand: 5 });
      const shoppers = await Promise.all(emails.map(() => enter(shop)));
      for (const shopper of shoppers) await shopper.add({ sku, quantity: 1 });
      const checkouts = shoppers.map(({ checkout }, index) =>
        checkout({ idempotencyKey: 'once', email: known(emails[index]) }),
      );
      for (const { errors } of await Promise.all(checkouts)) expect(errors).toEqual([]);
      await until('the confirmations of the orders are sent', async () => {
        const sent = await rowsOf(shop.db, `SELECT FROM mails WHERE recipient = ANY($1) AND status = 'SENT'`, [emails]);
        return sent.length === emails.length;
      });
    } finally {
      await shop.dispose();
    }
    const spans = collector.spans.slice(seen);
    const checkout = 'POST /graphql > mutation checkout';
    const told = /orders_insert$|mail order-placed$/;
    const traces = spans
      .filter(({ name }) => name === 'mutation checkout')
      .map(({ traceId }) => {
        const ofTrace = spans.filter((span) => span.traceId === traceId);
        return ofTrace.map((span) => pathOf(span, ofTrace).join(' > ')).filter((path) => told.test(path));
      });
    const whole = [`${checkout} > orders_insert`, `${checkout} > consumer mail-notices > job mail > mail order-placed`];
    expect(traces.map((paths) => paths.toSorted())).toEqual(emails.map(() => whole.toSorted()));
  });

  test('a delivery whose job was lost is applied within the trace of the call that brought it', async () => {
    const seen = collector.spans.length;
    const database = await createTestDatabase();
    onTestFinished(() => database.dispose());
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, CONTENTFUL_WEBHOOK_SECRET: SECRET };
    const lent = { url: database.url, dispose: () => Promise.resolve() };
    const receiving = await createTestShop({
      ...{ database: lent, overrides: { quiet: true } },
      env: { ...env, DATA_DIR: newDataDir() },
    });
    const id = newEntryId();
    try {
      await deliver(receiving, { id, fields: { title: 'Honey', slug: 'honey', price: 1, stock: 5 } });
      // As old as the sweep wants them.
      await rowsOf(receiving.db, `UPDATE webhook_deliveries SET received_at = received_at - interval '1 hour'`);
    } finally {
      await receiving.dispose();
    }
    const worker = await createTestShop({ database: lent, env: { ...env, ROLES: 'worker', DATA_DIR: newDataDir() } });
    try {
      await until('it is applied', async () => (await deliveriesOf(worker, id))[0]?.status === 'APPLIED');
    } finally {
      await worker.dispose();
    }
    const spans = collector.spans.slice(seen);
    const paths = spans.map((span) => pathOf(span, spans).join(' > '));
    const sweep = 'POST /webhooks/contentful > webhook contentful';
    expect(paths).toEqual(
      expect.arrayContaining([sweep, `${sweep} > webhook_delivery_attempt`, `${sweep} > webhook_delivery_settle`]),
    );
  });

  test('a share of 0 records nothing, and a collector that refuses spans costs a line in the log', async () => {
    const none = await traceRegistration(collector, { env: { OTEL_TRACES_SAMPLER_ARG: '0' } });
    expect(none.spans).toEqual([]);

    const endpoint = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/elsewhere` };
    const refused = await traceRegistration(collector, { env: endpoint });
    expect(refused.spans).toEqual([]);
    expect(refused.warnings).toContain('traces could not be exported');
  });
});

test('without the setting, nothing of OpenTelemetry is loaded but what prom-client loads', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const { output, exited } = startProcess('tests/support/loaded-modules-child.ts', {
    ...{ PORT: '0', WEB: 'off', SEED: 'none', DATABASE_URL: database.url, DATA_DIR: newDataDir() },
  });
  expect(await exited).toBe(0);
  const { tracing, withoutSetting, withSetting } = JSON.parse(output()) as Record<string, unknown>;
  expect({ tracing, withoutSetting }).toEqual({ tracing: null, withoutSetting: ['@opentelemetry/api'] });
  expect(withSetting).toEqual(
    expect.arrayContaining(['@opentelemetry/sdk-trace-base', '@opentelemetry/exporter-trace-otlp-http']),
  );
});

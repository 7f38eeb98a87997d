import type { IncomingMessage, RequestListener } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { isDatabaseTrouble } from '../infra/postgres/database-faults.ts';
import type { Logger } from '../infra/logger.ts';
import type { Health } from './health.ts';
import { readImage } from './images.ts';
import { mayReadMetrics, type Approach } from './metrics-rule.ts';
import { frontPage, graphqlPage, LOG_IN_PATH, logInPage, readable } from './shop-pages.ts';
import { isPageVisit, wantsPage } from './visit.ts';
import type { WebhookPages } from './webhooks.ts';
import { DASHBOARD_PAGES, PAGES_OF_MAILS, SHOP_PAGES, type WebPages } from './web/web-pages.ts';

/** A page made by another part of the shop, which checks permissions itself. */
export type Page = (request: Request, incoming: IncomingMessage) => Promise<Response>;

/** Pages that other parts of the shop make; null where there is none. */
export interface OtherPages {
  /** The job queues. */
  queues: Page | null;
  /** Mails that are kept here; null where they go to a server. */
  mailbox: Page | null;
  /** Where links in mails lead. */
  mail: Page | null;
  /** Where shoppers pay with the `test` provider; null in production. */
  pay: Page | null;
  /** Exports for staff; null where the API is not served. */
  exports: Page | null;
  /** What other systems call. */
  webhooks: WebhookPages;
  /** The shop window and the dashboard; null where they are off or not built. */
  web: WebPages | null;
}

/** What is served beside GraphQL. */
export function createPages(options: {
  health: Health;
  /** Prometheus' text, and its type; null while the shop starts. */
  metrics: () => Promise<{ contentType: string; text: string } | null>;
  metricsToken: string | null;
  shopName: string;
  approach: Approach;
  graphiql: boolean;
  api: boolean;
  /** The pages of other parts of the shop; null while it starts. */
  others: () => OtherPages | null;
  logger: Logger;
}): RequestListener {
  const { health, metrics, metricsToken, approach, shopName, graphiql, api, others, logger } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const starting = (c: Context) => c.json({ error: 'The shop is starting.' }, 503, { 'retry-after': '1' });

  app.use(async (c, next) => {
    await next();
    const { status, headers } = c.res;
    if (status >= 400 && headers.get('content-type')?.startsWith('application/json') === true) {
      c.res = await readable(c.res, c.env.incoming, shopName);
    }
  });

  app.get('/health/live', (c) => c.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }));

  app.get('/health/ready', async (c) => {
    const [notReady, degraded] = await Promise.all([health.notReady(), health.degraded()]);
    const [status, body] =
      notReady.length > 0
        ? [503, { status: 'not ready', notReady }]
        : Object.keys(degraded).length > 0
          ? [200, { status: 'degraded', degraded }]
          : [200, { status: 'ready' }];
    return c.json(body, status as 200 | 503, { 'cache-control': 'no-store' });
  });

  app.get('/metrics', async (c) => {
    // 404 hides from unauthorized clients that there are metrics.
    if (!mayReadMetrics(c.env.incoming, metricsToken, approach)) return c.notFound();
    const found = await metrics();
    if (found === null) return starting(c);
    return c.body(found.text, 200, { 'content-type': found.contentType, 'cache-control': 'no-store' });
  });

  for (const path of ['/queues', '/queues/*']) {
    app.all(path, (c) => others()?.queues?.(c.req.raw, c.env.incoming) ?? c.notFound());
  }

  for (const path of ['/mailbox', '/mailbox/*']) {
    app.all(path, (c) => others()?.mailbox?.(c.req.raw, c.env.incoming) ?? c.notFound());
  }

  if (api) {
    // Not 404: a mail program that unsubscribes somebody would take that for the last word.
    app.all('/mail/*', (c) => {
      const pages = others();
      return pages === null ? starting(c) : (pages.mail?.(c.req.raw, c.env.incoming) ?? c.notFound());
    });

    app.all('/pay/test/*', (c) => {
      const pages = others();
      return pages === null ? starting(c) : (pages.pay?.(c.req.raw, c.env.incoming) ?? c.notFound());
    });

    app.all('/staff/export/:file', (c) => {
      const pages = others();
      return pages === null ? starting(c) : (pages.exports?.(c.req.raw, c.env.incoming) ?? c.notFound());
    });

    // Signed, and sent by no browser: the rule against forged requests is not for it.
    app.all('/webhooks/:source', (c) => {
      const pages = others();
      return pages === null ? starting(c) : (pages.webhooks(c.req.param('source'), c.env.incoming) ?? c.notFound());
    });

    for (const path of SHOP_PAGES) {
      app.get(path, async (c, next) => {
        const web = others()?.web;
        if (web == null || !wantsPage(c.env.incoming)) return next();
        return web.shop(c.req.raw);
      });
    }
    for (const path of DASHBOARD_PAGES) {
      app.get(path, (c) => others()?.web?.dashboard() ?? c.notFound());
    }
    app.get('/assets/:name', (c) => others()?.web?.file(c.env.incoming, c.req.path) ?? c.notFound());
    for (const path of ['/favicon.ico', '/favicon.svg', '/robots.txt']) {
      app.get(path, (c) => others()?.web?.file(c.env.incoming, path) ?? c.notFound());
    }

    // Links in mails lead to the shop window. Where it is not built, the plain pages take them.
    for (const path of PAGES_OF_MAILS) {
      app.get(path, (c) => c.redirect(`/mail${path}${new URL(c.req.url).search}`, 302));
    }

    app.get('/', async (c): Promise<Response> => {
      if (!isPageVisit(c.env.incoming)) return c.text('A Vitrine shop. Its GraphQL API is at /graphql.\n');
      const served = others();
      if (served === null) return starting(c);
      if (graphiql) return c.redirect('/graphql', 302);
      return frontPage(shopName, { graphiql, queues: served.queues != null, mailbox: served.mailbox != null });
    });

    // Reached where GraphiQL is off.
    app.get('/graphql', () => graphqlPage(shopName));

    app.get(LOG_IN_PATH, (c) => logInPage(shopName, c.req.query('to')));

    app.get('/images/:name', async (c) => {
      const image = await readImage(c.req.param('name'));
      if (image === null) return c.notFound();
      if (c.req.header('if-none-match') === image.headers.etag) return c.body(null, 304, image.headers);
      return c.body(image.bytes, 200, image.headers);
    });
  }

  app.notFound((c) => c.json({ error: 'Not found.' }, 404));
  app.onError((error, c) => {
    // Who broke off in the middle of a body hears no answer, and it is no fault of ours.
    if (c.env.incoming.destroyed && !c.env.incoming.complete) return c.body(null, 400);
    if (isDatabaseTrouble(error)) {
      logger.warn({ err: error, path: c.req.path }, 'a page failed because the database is unavailable');
      return c.json({ error: 'The database is temporarily unavailable.' }, 503, { 'retry-after': '2' });
    }
    logger.error({ err: error, path: c.req.path }, 'a page failed');
    return c.json({ error: 'Internal server error.' }, 500);
  });

  // Load balancers that speak HTTP/1.0 name no host.
  // Its own Request and Response stay its own: by default they would take the place of the global ones.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: 'localhost' });
  return (req, res) => void listener(req, res);
}

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import type { Logger } from '../../infra/logger.ts';
import { readTabs } from './tabs.ts';

interface Page {
  /** One for all clients. */
  compressed: Buffer;
  /** Bytes of the page as it is. */
  length: number;
  etag: string;
  policy: string;
}

/** The page for people: GraphiQL with all its scripts inside, so that it works without the internet. */
export function createGraphiQL({ title, logger }: { title: string; logger: Logger }) {
  let page: Promise<Page> | undefined;

  async function send(req: IncomingMessage, res: ServerResponse): Promise<void> {
    page ??= render(title);
    const { compressed, length, etag, policy } = await page;
    res.setHeader('etag', etag);
    res.setHeader('cache-control', 'no-cache');
    res.setHeader('vary', 'Accept, Accept-Encoding, Sec-Fetch-Mode');
    if (req.headers['if-none-match'] === etag) {
      res.writeHead(304).end();
      return;
    }
    const takesGzip = /\bgzip\b/.test(req.headers['accept-encoding'] ?? '');
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
    if (takesGzip) {
      res.writeHead(200, { ...headers, 'content-length': compressed.length, 'content-encoding': 'gzip' });
      res.end(compressed);
      return;
    }
    res.writeHead(200, { ...headers, 'content-length': length });
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    // Unpacked as fast as the client reads, so that nine megabytes do not wait in memory for each client.
    const unpack = createGunzip();
    unpack.end(compressed);
    // A client that leaves early is no fault of ours.
    await pipeline(unpack, res).catch((error: unknown) =>
      logger.debug({ err: error }, 'the client aborted the GraphiQL download'),
    );
  }

  return (req: IncomingMessage, res: ServerResponse): void => {
    send(req, res).catch((error: unknown) => {
      page = undefined;
      logger.error({ err: error }, 'GraphiQL could not be served');
      res.destroy();
    });
  };
}

/**
 * GraphiQL 4 moves a tab aside the moment that it is pressed, when it was opened with several: the click then lands beside
 * it. Without transforms they stay where they are.
 */
const TABS_STAY = '.graphiql-tab { transform: none !important; }';

/** Nine megabytes of script: loaded and compressed at the first request, and kept compressed. */
async function render(title: string): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = renderGraphiQL({
    // It goes into the page as it is.
    title: title.replaceAll(/[<>&]/g, ''),
    credentials: 'same-origin',
    subscriptionsProtocol: 'WS',
    defaultTabs: readTabs().map((tab) => ({ ...tab, headers: null })),
    shouldPersistHeaders: false,
  });
  const html = page.replace('</head>', `<style>${TABS_STAY}</style></head>`);
  return {
    compressed: await promisify(gzip)(html),
    length: Buffer.byteLength(html),
    etag: `"${digest(html)}"`,
    policy: policyFor(html),
  };
}

/** Its own script and no other, its editor's workers, and requests to this shop alone. */
function policyFor(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${digest(script, 'base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ')} blob:`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function digest(text: string, encoding: 'base64' | 'base64url' = 'base64url'): string {
  return createHash('sha256').update(text).digest(encoding);
}

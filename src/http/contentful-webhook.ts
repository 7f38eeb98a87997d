import type { IncomingMessage } from 'node:http';
import type { ContentfulService, Receipt } from '../modules/contentful/contentful.service.ts';
import type { Page } from './pages.ts';

const STATUS: Readonly<Record<Receipt, number>> = { STORED: 202, REPEATED: 202, IGNORED: 202, MALFORMED: 400 };

const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });

/**
 * Takes what the CMS sends: it is signed, stored, and answered at once. Where no secret is set there is nothing here.
 * @param options.bodyLimit in bytes
 * @param options.trustedProxies whether somebody stands before the shop whose headers count
 */
export function createContentfulWebhook(options: {
  contentful: Pick<ContentfulService, 'isOpen' | 'isAuthentic' | 'receive'>;
  bodyLimit: number;
  trustedProxies: number;
}): Page | null {
  const { contentful, bodyLimit, trustedProxies } = options;
  if (!contentful.isOpen) return null;
  return async (request, incoming) => {
    if (request.method !== 'POST') return answer(405, { error: 'Only POST is taken here.' }, { allow: 'POST' });
    const body = await readBody(incoming, bodyLimit);
    if (body === null) return answer(413, { error: 'The body is too large.' }, { connection: 'close' });
    const { method = '', headers } = incoming;
    if (!(await contentful.isAuthentic({ method, path: calledPath(incoming, trustedProxies), headers, body }))) {
      return answer(401, { error: 'The request is not signed as it should be.' });
    }
    const receipt = await contentful.receive({
      topic: request.headers.get('x-contentful-topic') ?? '',
      key: request.headers.get('x-contentful-idempotency-key'),
      body,
    });
    return answer(STATUS[receipt], receipt === 'MALFORMED' ? { error: 'The body is no entry.' } : {});
  };
}

/** The whole body, byte for byte as it was signed; null where it is too large. */
async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | null> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const PREFIX = /^(\/[\w.~-]+)+$/;

/** The path that the CMS called and signed: as it came, and with what a proxy says that it took away from the front. */
function calledPath({ url = '', headers }: IncomingMessage, trustedProxies: number): string {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '');
  const prefix = headers['x-forwarded-prefix'];
  return trustedProxies > 0 && typeof prefix === 'string' && PREFIX.test(prefix) ? prefix + path : path;
}

import type { IncomingMessage } from 'node:http';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { Receipt, WebhookService } from '../modules/webhooks/webhook.service.ts';
import { traceparentOf } from './request-info.ts';

const STATUS: Readonly<Record<Receipt, number>> = {
  STORED: 202,
  REPEATED: 202,
  IGNORED: 202,
  MALFORMED: 400,
  FORGED: 401,
};
const ERRORS: Readonly<Partial<Record<Receipt, string>>> = {
  MALFORMED: 'The body is no entry.',
  FORGED: 'The request is not signed as it should be.',
};

/** Answers calls of other systems; null if there is no such source. */
export type WebhookPages = (source: string, incoming: IncomingMessage) => Promise<Response> | null;

const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });

/**
 * Takes what other systems send: a request is checked, stored, and answered at once.
 * @param options.bodyLimit in bytes
 * @param options.trustedProxies number of proxies before the shop, whose headers count
 * @param options.tracer records each call as a span, which what the delivery causes belongs to; null: nothing is traced
 */
export function createWebhookPages(options: {
  webhooks: Pick<WebhookService, 'has' | 'receive'>;
  bodyLimit: number;
  trustedProxies: number;
  tracer: Tracer | null;
}): WebhookPages {
  const { webhooks, bodyLimit, trustedProxies, tracer } = options;

  async function receive(source: string, incoming: IncomingMessage): Promise<Response> {
    const { method = '', headers } = incoming;
    if (method !== 'POST') return answer(405, { error: 'Only POST is taken here.' }, { allow: 'POST' });
    const body = await readBody(incoming, bodyLimit);
    if (body === null) return answer(413, { error: 'The body is too large.' }, { connection: 'close' });
    const path = calledPath(incoming, trustedProxies);
    const receipt = await webhooks.receive(source, { method, path, headers, body });
    tracer?.annotate({ 'vitrine.webhook.outcome': receipt });
    const error = ERRORS[receipt];
    return answer(STATUS[receipt], error === undefined ? {} : { error });
  }

  function receiveTraced(source: string, incoming: IncomingMessage): Promise<Response> {
    if (tracer === null) return receive(source, incoming);
    const { method = '' } = incoming;
    const path = `/webhooks/${source}`;
    const attributes = { 'http.request.method': method, 'url.path': path };
    const parent = trustedProxies > 0 ? traceparentOf(incoming) : null;
    return tracer.run(`${method} ${path}`, { kind: 'server', attributes, parent }, () => receive(source, incoming));
  }

  return (source, incoming) => (webhooks.has(source) ? receiveTraced(source, incoming) : null);
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

/** The path that the sender called and signed: as it came, and with the prefix that a proxy says it removed. */
function calledPath({ url = '', headers }: IncomingMessage, trustedProxies: number): string {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '');
  const prefix = headers['x-forwarded-prefix'];
  return trustedProxies > 0 && typeof prefix === 'string' && PREFIX.test(prefix) ? prefix + path : path;
}

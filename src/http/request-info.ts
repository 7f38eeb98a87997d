import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../infra/logger.ts';
import type { LimiterWait } from '../infra/limits/rate-limiter.ts';
import { TRACEPARENT } from '../infra/tracing/tracer.ts';
import { clientAddress } from './client-address.ts';
import { storefrontOf, type Storefront } from './storefront-key.ts';

/** What is known of a request from its first line on. */
export interface RequestInfo {
  /** Names it in logs, in the answer's `x-request-id` and in masked errors. */
  readonly id: string;
  readonly logger: Logger;
  readonly path: string;
  /** Who it comes from, as limits count: see client-address.ts. */
  readonly clientAddress: string;
  /** What the storefront says that asks for a shopper; null where no storefront asks. */
  readonly storefront: Storefront | null;
  /** How long it has waited for the rate limiter. */
  readonly limiterWait: LimiterWait;
  /** W3C `traceparent` of a caller whose headers are trusted: a proxy of ours or a storefront. Null otherwise. */
  readonly traceparent: string | null;
  /** The GraphQL operation, for the log; set by who executes it. */
  operation: string | null;
  /** Called where the answer is a stream of events: it has a place of its own, and gives back that of an answer. */
  onStream: () => void;
}

const SANE_ID = /^[\w.-]{1,64}$/;

/** Looks at a request for the first time. A sane `x-request-id` is kept, so that a proxy's log and ours can be joined. */
export function describeRequest(
  req: IncomingMessage,
  {
    logger,
    trustedProxies,
    storefrontKeys,
  }: { logger: Logger; trustedProxies: number; storefrontKeys: readonly string[] },
): RequestInfo {
  const given = req.headers['x-request-id'];
  const id = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
  const storefront = storefrontOf(req, storefrontKeys);
  return {
    id,
    logger: logger.child({ requestId: id }),
    path: pathOf(req.url ?? ''),
    clientAddress: storefront?.shopper ?? clientAddress(req, trustedProxies),
    storefront,
    limiterWait: { ms: 0 },
    traceparent: trustedProxies > 0 || storefront !== null ? traceparentOf(req) : null,
    operation: null,
    onStream: () => {},
  };
}

/** The trace that a request says it continues. The header counts only if the caller is trusted. */
export function traceparentOf({ headers }: IncomingMessage): string | null {
  const { traceparent } = headers;
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : null;
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

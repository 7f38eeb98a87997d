import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OriginRule } from './origin-rule.ts';

/** What every answer carries. Pages that need more than nothing set a policy of their own over this one. */
export function securityHeaders({ publicUrl }: { publicUrl: string }): readonly (readonly [string, string])[] {
  return [
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
    ['cross-origin-resource-policy', 'same-origin'],
    ['referrer-policy', 'no-referrer'],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ...(publicUrl.startsWith('https://') ? [['strict-transport-security', 'max-age=31536000'] as const] : []),
  ];
}

const PREFLIGHT_SECONDS = '7200';
const HEADER_NAMES = /^[\w-]+(\s*,\s*[\w-]+)*$/;

/** Lets pages of allowed origins read the answer. Others get nothing, and their browser keeps it from them. */
export function allowOrigin(req: IncomingMessage, res: ServerResponse, rule: OriginRule): void {
  res.setHeader('vary', 'Origin');
  const { origin } = req.headers;
  if (origin === undefined || !rule.allows(origin, req)) return;
  res.setHeader('access-control-allow-origin', origin);
  res.setHeader('access-control-allow-credentials', 'true');
  res.setHeader('access-control-expose-headers', 'retry-after, x-request-id');
}

/** Answers OPTIONS of an origin that passed the rule: for a browser, what its page may send; else what can be asked. */
export function answerOptions(req: IncomingMessage, res: ServerResponse): void {
  const asked = req.headers['access-control-request-headers'];
  if (req.headers['access-control-request-method'] === undefined) {
    res.setHeader('allow', 'GET, POST, OPTIONS');
  } else {
    res.setHeader('vary', 'Origin, Access-Control-Request-Headers');
    res.setHeader('access-control-allow-methods', 'GET, POST');
    res.setHeader('access-control-max-age', PREFLIGHT_SECONDS);
    // Allowed origins may send request and client headers of their own.
    if (asked !== undefined && HEADER_NAMES.test(asked)) res.setHeader('access-control-allow-headers', asked);
  }
  res.writeHead(204);
  res.end();
}

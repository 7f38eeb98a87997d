import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRequest } from '../webhooks/webhook.types.ts';

/*
 * How Contentful signs requests, as its @contentful/node-apps-toolkit checks it (32 MB for one HMAC; tests have it as their
 * oracle): HMAC-SHA256 over method, path, signed headers and body.
 */

/** How old a request may be, or how far ahead its sender's clock. */
const TOLERANCE_MS = 5 * 60_000;

const SIGNATURE = 'x-contentful-signature';
const SIGNED_HEADERS = 'x-contentful-signed-headers';
const TIMESTAMP = 'x-contentful-timestamp';

/** The value of a header; null if the request does not have it. */
export function headerOf(request: WebhookRequest, name: string): string | null {
  const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
  if (value === undefined) return null;
  return (typeof value === 'string' ? value : value.join(', ')).trim();
}

/** The path with its query escaped once more, as the toolkit has it; what stands behind a second `?` does not count there. */
function canonicalPath(path: string): string {
  const [pathname = '', search = ''] = path.split('?');
  return encodeURI(search === '' ? pathname : `${pathname}?${encodeURIComponent(search)}`);
}

/** The time at which a request says that it was signed; null where it says none that could be. */
export function signedAt(request: WebhookRequest): number | null {
  const text = headerOf(request, TIMESTAMP);
  return text !== null && /^\d{13}$/.test(text) ? Number(text) : null;
}

/** Whether a request was signed with the secret, whenever that was. Compares in constant time. */
export function isSigned(request: WebhookRequest, secret: string): boolean {
  const signature = headerOf(request, SIGNATURE);
  const listed = headerOf(request, SIGNED_HEADERS);
  if (signature === null || listed === null || signedAt(request) === null) return false;
  // The list itself and the time at least.
  const names = listed.split(',');
  if (names.length < 2) return false;
  const given = Buffer.from(signature);
  const computed = Buffer.from(signatureOf(request, { secret, listed: names }));
  return given.length === computed.length && timingSafeEqual(given, computed);
}

/**
 * Whether the signature covers those of some headers that a request has. One that was signed and is gone shows in the
 * signature; one that was not could be anybody's.
 */
export function areSigned(request: WebhookRequest, names: readonly string[]): boolean {
  const listed = new Set(headerOf(request, SIGNED_HEADERS)?.split(','));
  return names.every((name) => headerOf(request, name) === null || listed.has(name));
}

/** Whether an instant is near enough to now for a request that was signed then. */
export function isTimely(signedAtMs: number, now: Date): boolean {
  return Math.abs(now.getTime() - signedAtMs) < TOLERANCE_MS;
}

function signatureOf(
  request: WebhookRequest,
  { secret, listed }: { secret: string; listed: readonly string[] },
): string {
  // The list itself and the time are always signed; what is listed and not there has been taken away, and shows in the list.
  const names = [...new Set([...listed.filter((name) => headerOf(request, name) !== null), SIGNED_HEADERS, TIMESTAMP])];
  names.sort((a, b) => (a > b ? 1 : -1));
  const headers = names.map((name) => `${name}:${name === SIGNED_HEADERS ? names.join(',') : headerOf(request, name)}`);
  return createHmac('sha256', secret)
    .update(`${request.method}\n${canonicalPath(request.path)}\n${headers.join(';')}\n`)
    .update(request.body)
    .digest('hex');
}

import type { IncomingMessage } from 'node:http';

/*
 * What a request names is judged here once, before anything else looks at it. Rules are written for paths as text, and
 * routers decode and resolve them: two spellings of one path would be two paths for one of them. So a spelling that
 * normalisation would change is refused, and everything after this sees one spelling only.
 */

const PATH = /^\/[\w.~!$&'()*+,;=:@%/-]*$/;
/** Escapes of what need not be escaped, or of what routers would take for a separator; and escapes in small letters. */
const NEEDLESS_ESCAPE = /%(?![\dA-F]{2})|%(?:[01]\w|2[DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
// The parser of node refuses most of these itself.
// oxlint-disable-next-line no-control-regex -- control characters are among what is refused
const BAD_QUERY = /[\u0000-\u0020\u007f-\uffff\\#]|%00/;

const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const MAX_PORT = 65_535;

/** Why a request cannot be taken as it stands; null where its target and its host are in order. */
export function faultOfRequest({ url = '', headers, rawHeaders, httpVersion }: IncomingMessage): string | null {
  return faultOfTarget(url) ?? faultOfHost(headers.host, rawHeaders, httpVersion);
}

function faultOfTarget(target: string): string | null {
  const at = target.indexOf('?');
  const [path, query] = at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
  const isNormal =
    PATH.test(path) && !path.includes('//') && !DOT_SEGMENT.test(path) && !NEEDLESS_ESCAPE.test(path) && isUtf8(path);
  if (!isNormal) return 'The path of the request is not in normal form.';
  return BAD_QUERY.test(query) ? 'The query string of the request contains characters that must be escaped.' : null;
}

function isUtf8(path: string): boolean {
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function faultOfHost(host: string | undefined, rawHeaders: readonly string[], httpVersion: string): string | null {
  const given = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (given > 1) return 'The request has more than one Host header.';
  // Balancers that speak HTTP/1.0 name none.
  if (host === undefined) return httpVersion === '1.0' ? null : 'The request has no Host header.';
  const match = HOST.exec(host);
  const ok = match !== null && Number(match[1] ?? 0) <= MAX_PORT && URL.canParse(`http://${host}`);
  return ok ? null : 'The Host header is not a host name with an optional port.';
}

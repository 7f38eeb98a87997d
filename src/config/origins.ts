import { z } from 'zod';

/*
 * Origins and hosts as the settings name them. A value that could never match what a browser or a client sends is refused at
 * the start, instead of causing errors that show only in the browser's console.
 */

/** `https://*.example.com`, `https://shop-*.example.app`: a wildcard within the first label, with two labels after it. */
const PATTERN = /^(https?):\/\/([a-z\d-]*\*[a-z\d-]*)((?:\.[a-z\d-]+){2,}|\.localhost)(?::(\d{1,5}))?$/;
const DEFAULT_PORTS = { http: '80', https: '443' } as const;

/** The normalised form of an origin without a wildcard; null where it is none. */
function plainOrigin(value: string): string | null {
  if (value.includes('*') || !/^https?:\/\//i.test(value) || !URL.canParse(value)) return null;
  const url = new URL(value);
  if (url.hostname.includes('*')) return null;
  const bare = url.pathname === '/' && !/[?#@\\]/.test(value);
  return bare ? url.origin : null;
}

/** The normalised form of an origin with a wildcard; null where it is none that can match. */
function wildcardOrigin(value: string): string | null {
  const found = PATTERN.exec(value.toLowerCase());
  if (found === null) return null;
  const [, scheme = '', label = '', rest = '', port] = found;
  if (label.split('*').length !== 2) return null;
  const shown = port === undefined || port === DEFAULT_PORTS[scheme as 'http' | 'https'] ? '' : `:${port}`;
  return `${scheme}://${label}${rest}${shown}`;
}

/** One origin: scheme, host and port. */
export const origin = z.string().transform((value, ctx) => {
  const found = plainOrigin(value);
  if (found !== null) return found;
  ctx.addIssue({ code: 'custom', message: 'must be an origin: scheme, host and optional port, without a path' });
  return z.NEVER;
});

/** An origin, or a pattern with one wildcard in the first label of its host. */
export const originPattern = z.string().transform((value, ctx) => {
  const found = plainOrigin(value) ?? wildcardOrigin(value.replace(/\/$/, ''));
  if (found !== null) return found;
  ctx.addIssue({
    code: 'custom',
    message:
      'must be a list of origins (scheme, host and optional port, without a path); a wildcard is allowed only as the first label, with ' +
      'at least two labels after it: https://*.example.com',
  });
  return z.NEVER;
});

/** A host name or address, with a port or without; in lower case. */
export const hostName = z
  .string()
  .transform((value) => value.toLowerCase())
  .refine((value) => {
    const port = /:(\d+)$/.exec(value.replace(/^\[[^\]]*\]/, ''))?.[1];
    return /^(\[[\da-f:.]+\]|[a-z\d_-]+(\.[a-z\d_-]+)*)(:\d{1,5})?$/.test(value) && Number(port ?? 1) <= 65_535;
  }, 'must be a list of host names or IP addresses with optional ports, for example: api, 10.0.0.7:4000');

/** A domain of two labels or more, in ASCII and lower case, without the dot that some write before it. */
export const domainName = z.string().transform((value, ctx) => {
  const given = value.replace(/^\./, '');
  const url = `https://${given}`;
  const domain = /[\s/:?#@\\*]/.test(given) || !URL.canParse(url) ? '' : new URL(url).hostname;
  // An address: the last label of a domain is no number.
  if (/^([a-z\d_]([a-z\d_-]*[a-z\d_])?\.)+(?!\d+$)[a-z\d]([a-z\d-]*[a-z\d])?$/.test(domain)) return domain;
  ctx.addIssue({ code: 'custom', message: 'must be a domain with one dot at least, and no address: shop.example' });
  return z.NEVER;
});

/**
 * Makes a test for origins.
 * @param patterns as `originPattern` gives them
 * @returns whether an origin, as a browser sends it, is one of them; a wildcard stands for one or more characters of one label
 */
export function originMatcher(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const escape = (text: string) => text.replaceAll(/[.\\/+?()[\]{}|^$-]/g, String.raw`\$&`);
  const wild = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => new RegExp(`^${pattern.split('*').map(escape).join('[a-z\\d-]+')}$`));
  return (given) => exact.has(given) || wild.some((pattern) => pattern.test(given));
}

/*
 * Money and dates as the visitor reads them.
 */

interface Amount {
  amount: string;
  currencyCode: string;
}

const locale = navigator.languages;
const formats = new Map<string, Intl.NumberFormat>();

/** An amount with its currency, such as `19,90 €`. */
export function formatMoney({ amount, currencyCode }: Amount): string {
  let format = formats.get(currencyCode);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { style: 'currency', currency: currencyCode });
    formats.set(currencyCode, format);
  }
  // As text, so that no amount is too large to be exact.
  return format.format(amount as `${number}`);
}

const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
const times = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const counts = new Intl.NumberFormat(locale);

/** A day, such as `29 November 2026`. */
export const formatDate = (iso: string): string => dates.format(new Date(iso));

/** A day and a time of day. */
export const formatTime = (iso: string): string => times.format(new Date(iso));

export const formatCount = (count: number): string => counts.format(count);

/** A span of time as `14:05`, or `1:02:05` from an hour on. Never negative. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first, ...others] = parts[0] === 0 ? parts.slice(1) : parts;
  return [first, ...others.map((part) => String(part).padStart(2, '0'))].join(':');
}

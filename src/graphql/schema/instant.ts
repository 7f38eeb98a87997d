const ISO = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i;

/** The instant that a text names in ISO 8601, with a zone, or null. Unlike `Date`, it knows how long months are. */
export function parseInstant(text: string): Date | null {
  const [, year = 0, month = 0, day = 0] = (ISO.exec(text) ?? []).slice(0, 4).map(Number);
  const date = new Date(text);
  const isDay = year > 0 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  return isDay && !Number.isNaN(date.getTime()) ? date : null;
}

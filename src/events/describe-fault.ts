const MAX_ERROR = 1000;

/** What went wrong, cut to what a row is to keep. */
export function describeFault(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // What PostgreSQL does not take: NUL, and half a character that is left of one cut in two.
  return text
    .replaceAll(/\0|\p{Cs}/gu, '')
    .slice(0, MAX_ERROR)
    .replace(/[\ud800-\udbff]$/, '');
}

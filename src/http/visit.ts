import type { IncomingMessage } from 'node:http';

/**
 * Whether the request is a visit with a browser, which is answered with a page, never with JSON.
 * Scripts and programs that ask for HTML among other types are distinguished by `Sec-Fetch-Mode` if the browser sends it.
 */
export function isPageVisit({ method, headers }: IncomingMessage): boolean {
  const mode = headers['sec-fetch-mode'] ?? 'navigate';
  return (
    (method === 'GET' || method === 'HEAD') && mode === 'navigate' && headers.accept?.includes('text/html') === true
  );
}

/**
 * Whether a page of the shop window is an answer: to a visit, and to programs that show previews of links or fill search engines,
 * many of which take any type. Scripts that ask for data name its type, or are distinguished by `Sec-Fetch-Mode`.
 */
export function wantsPage(incoming: IncomingMessage): boolean {
  if (isPageVisit(incoming)) return true;
  const { accept = '*/*', 'sec-fetch-mode': mode } = incoming.headers;
  return mode === undefined && (accept.includes('text/html') || accept.includes('*/*'));
}

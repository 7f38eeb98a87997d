import type { IncomingMessage } from 'node:http';

/**
 * Whether somebody opens the address in a browser: such a visit is answered with a page, never with JSON.
 * Scripts and programs that ask for HTML among other types are told apart by `Sec-Fetch-Mode`, where the browser sends it.
 */
export function isPageVisit({ method, headers }: IncomingMessage): boolean {
  const mode = headers['sec-fetch-mode'] ?? 'navigate';
  return (
    (method === 'GET' || method === 'HEAD') && mode === 'navigate' && headers.accept?.includes('text/html') === true
  );
}

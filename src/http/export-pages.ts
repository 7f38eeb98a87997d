import type { IncomingMessage } from 'node:http';
import { EXPORTS, type ExportService } from '../modules/exports/export.service.ts';
import type { Page } from './pages.ts';

const PATH = /^\/staff\/export\/([a-z]+)\.csv$/;
const STAFF: ReadonlySet<string> = new Set(['STAFF', 'ADMIN']);

const answer = (status: number, error: string, headers: Record<string, string> = {}) =>
  Response.json({ error }, { status, headers: { 'cache-control': 'no-store', ...headers } });

/** Whether a page of another origin asks: browsers say so. */
function isForeign({ headers }: IncomingMessage, publicUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string' && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && headers.origin !== new URL(publicUrl).origin;
}

/**
 * Exports for staff, by session or access token. The file is read from the database as fast as the client takes it.
 * @param options.roleOf role of the user who asks; null if no user is logged in
 */
export function createExportPages(options: {
  exports: ExportService;
  publicUrl: string;
  roleOf: (req: IncomingMessage) => Promise<string | null>;
}): Page {
  const { exports, publicUrl, roleOf } = options;
  return async (request, incoming) => {
    const name = EXPORTS.find((one) => one === PATH.exec(new URL(request.url).pathname)?.[1]);
    if (name === undefined) return answer(404, 'Not found.');
    if (request.method !== 'GET') return answer(405, 'Only GET is allowed.', { allow: 'GET' });
    if (isForeign(incoming, publicUrl)) return answer(403, 'Pages of other origins may not request exports.');
    const role = await roleOf(incoming);
    if (role === null) return answer(401, 'Log in first.');
    if (!STAFF.has(role)) return answer(403, 'Only staff may export.');
    const parts = exports.run(name);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await parts.return(undefined);
      },
    });
    return new Response(body, {
      headers: {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="${name}.csv"`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      },
    });
  };
}

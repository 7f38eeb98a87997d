import type { IncomingMessage } from 'node:http';
import type { Queue } from 'bullmq';
import { Hono } from 'hono';
import type { JobBackend } from './backend.ts';

const PATH = '/queues';
const HEADERS = {
  'cache-control': 'no-store',
  // The page brings its own scripts and styles; the fonts that it would like from elsewhere it does without.
  'content-security-policy':
    `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;
    connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'`.replaceAll(/\s+/g, ' '),
};

/** A page of its own beside GraphQL. */
export type Page = (request: Request, incoming: IncomingMessage) => Promise<Response>;

/**
 * The job queues as Bull Board shows them: to an ADMIN, and only to look at.
 * @param options.roleOf role of the user who requests the page; null if no user is logged in
 */
export function createQueuesPage(options: {
  backend: JobBackend;
  names: readonly string[];
  roleOf: (req: IncomingMessage) => Promise<string | null>;
}): { page: Page; close(): Promise<void> } {
  const { backend, names, roleOf } = options;
  let opening: Promise<{ app: Hono; queues: Queue[] }> | undefined;

  /** Loaded with the first visit. */
  async function open() {
    const [{ createBullBoard }, { BullMQAdapter }, { HonoAdapter }, { serveStatic }] = await Promise.all([
      import('@bull-board/api'),
      import('@bull-board/api/bullMQAdapter'),
      import('@bull-board/hono'),
      import('@hono/node-server/serve-static'),
    ]);
    const queues = await Promise.all(names.map(async (name) => (await backend.openQueue(name)) as Queue));
    const serverAdapter = new HonoAdapter(serveStatic);
    serverAdapter.setBasePath(PATH);
    createBullBoard({
      queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false })),
      // It has its own copy of the board's types, of another patch level.
      serverAdapter: serverAdapter as unknown as Parameters<typeof createBullBoard>[0]['serverAdapter'],
      options: { uiConfig: { boardTitle: 'Job queues' } },
    });
    return { app: new Hono({ strict: false }).route(PATH, serverAdapter.registerPlugin()), queues };
  }

  return {
    async page(request, incoming) {
      const role = await roleOf(incoming);
      if (role === null) return Response.json({ error: 'Log in first.' }, { status: 401, headers: HEADERS });
      if (role !== 'ADMIN')
        return Response.json({ error: 'Only an ADMIN may see this page.' }, { status: 403, headers: HEADERS });
      // Whatever the board itself may think: here nothing is changed.
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return Response.json(
          { error: 'This page is read-only.' },
          { status: 405, headers: { ...HEADERS, allow: 'GET, HEAD' } },
        );
      }
      opening ??= open();
      const board = await opening.catch(() => (opening = undefined));
      if (board === undefined) {
        return Response.json({ error: 'The job queue is not reachable.' }, { status: 503, headers: HEADERS });
      }
      const response = await board.app.fetch(request);
      for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
      return response;
    },
    async close() {
      const board = await opening?.catch(() => {});
      await Promise.all(board?.queues.map((queue) => queue.close().catch(() => {})) ?? []);
    },
  };
}

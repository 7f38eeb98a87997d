import { parentPort } from 'node:worker_threads';
import { renderPage, type Page } from './pages.ts';

// The thread that renders letters: takes a page with a number, and answers with the number and what became of the page.

/** Sent to the thread. */
export interface RenderRequest {
  id: number;
  page: Page;
}

/** The answer of the thread. */
export type RenderAnswer = { id: number } & ({ html: string; text: string } | { error: string });

const port = parentPort;
if (port === null) throw new Error('render.worker.ts runs as a worker thread only');

port.on('message', ({ id, page }: RenderRequest) => {
  renderPage(page).then(
    (rendered) => port.postMessage({ id, ...rendered } satisfies RenderAnswer),
    (error: unknown) => {
      const { stack = '' } = error instanceof Error ? error : new Error(String(error));
      port.postMessage({ id, error: stack } satisfies RenderAnswer);
    },
  );
});

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Page, RenderedPage } from './letters/pages.ts';
import type { RenderAnswer, RenderRequest } from './letters/render.worker.ts';

/*
 * Rendering a letter takes the processor several milliseconds, and React takes 40 MB of memory. A thread of its own does it, so that
 * requests do not wait for letters. The thread starts with the first letter and ends when there has been none for a minute.
 */

const IDLE_MS = 60_000;
/** A page that takes longer never comes to an end. Less than the time that composing a mail may take. */
const RENDER_WITHIN_MS = 15_000;

/**
 * Renders the pages of letters. Disposing of it waits for the pages that are being rendered and ends the thread. A page that comes after
 * that, from a job that is still draining, is rendered by a thread of its own.
 */
export interface LetterRenderer extends AsyncDisposable {
  /**
   * Renders a page as HTML and as plain text.
   * @throws Error if the template fails, takes more than 15 s, or the thread ends; the next page gets a new thread
   */
  render(page: Page): Promise<RenderedPage>;
}

interface Waiting {
  resolve: (page: RenderedPage) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** The thread, and the pages that it has not answered yet. */
interface Thread {
  worker: Worker;
  waiting: Map<number, Waiting>;
}

/** Makes a renderer. Its thread starts with the first page. */
export function createLetterRenderer(): LetterRenderer {
  let thread: Thread | null = null;
  let idle: NodeJS.Timeout | undefined;
  let number = 0;
  let closing = false;
  const ending = new Set<Promise<unknown>>();

  function start(): Thread {
    const worker = new Worker(new URL('./letters/render.worker.mjs', import.meta.url), {
      name: 'letters',
      // React takes its production build, whatever the shop's own settings are.
      // oxlint-disable-next-line no-restricted-properties -- passed on, not read
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const started: Thread = { worker, waiting: new Map() };
    worker.unref();
    worker.on('message', ({ id, ...answer }: RenderAnswer) => {
      if ('error' in answer) settle(started, id)?.reject(new Error(answer.error));
      else settle(started, id)?.resolve(answer);
    });
    worker.on('error', (error) => end(started, error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => end(started, new Error(`the thread that renders letters ended with status ${code}`)));
    return started;
  }

  /** Takes a letter off the list of those that are rendered. @returns its caller; undefined if it no longer waits */
  function settle(from: Thread, id: number): Waiting | undefined {
    const waiting = from.waiting.get(id);
    from.waiting.delete(id);
    clearTimeout(waiting?.timer);
    if (from.waiting.size === 0 && from === thread) {
      if (closing) end(from, new Error('the shop is stopping'));
      else idle = setTimeout(() => end(from, new Error('no letters')), IDLE_MS).unref();
    }
    return waiting;
  }

  /** Ends the thread; the pages that it has not answered fail. */
  function end(ended: Thread, reason: Error): void {
    if (thread === ended) {
      thread = null;
      clearTimeout(idle);
    }
    for (const id of ended.waiting.keys()) settle(ended, id)?.reject(reason);
    const gone = ended.worker.terminate().finally(() => ending.delete(gone));
    ending.add(gone);
  }

  return {
    render(page) {
      clearTimeout(idle);
      const current = (thread ??= start());
      const id = (number += 1);
      return new Promise((resolve, reject) => {
        const late = () => end(current, new Error(`rendering ${page.name} took more than ${RENDER_WITHIN_MS} ms`));
        current.waiting.set(id, { resolve, reject, timer: setTimeout(late, RENDER_WITHIN_MS).unref() });
        current.worker.postMessage({ id, page } satisfies RenderRequest);
      });
    },
    async [Symbol.asyncDispose]() {
      closing = true;
      if (thread !== null && thread.waiting.size === 0) end(thread, new Error('the shop is stopping'));
      // A thread with pages to render ends with the last of them.
      while (thread !== null) await once(thread.worker, 'exit');
      await Promise.all(ending);
    },
  };
}

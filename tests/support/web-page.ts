import type { BrowserContext, ConsoleMessage, Page, Request, Response, WebError } from 'playwright-core';

/** What goes wrong in the pages of a context. */
export interface Faults {
  /** Errors and warnings of the console (reports of the content security policy among them), exceptions, failed requests. */
  found: string[];
  /** Stops listening. */
  stop(): void;
}

/**
 * Collects what no journey may cause.
 * @param isExpected of what is not collected
 */
export function collectFaults(context: BrowserContext, isExpected: (fault: string) => boolean = () => false): Faults {
  const found: string[] = [];
  const note = (fault: string) => {
    if (!isExpected(fault)) found.push(fault);
  };
  const onConsole = (message: ConsoleMessage) => {
    if (['error', 'warning'].includes(message.type())) note(`${message.type()}: ${message.text()}`);
  };
  const onError = (error: WebError) => note(`exception: ${error.error().message}`);
  const onFailure = (request: Request) => {
    const why = request.failure()?.errorText ?? '';
    // A page that is left gives up what it has asked for.
    if (why !== 'net::ERR_ABORTED') note(`failed: ${request.url()} ${why}`);
  };
  const onResponse = (response: Response) => {
    if (response.status() >= 400) note(`${response.status()}: ${response.url()}`);
  };
  context.on('console', onConsole).on('weberror', onError).on('requestfailed', onFailure).on('response', onResponse);
  return {
    found,
    stop() {
      context.off('console', onConsole).off('weberror', onError);
      context.off('requestfailed', onFailure).off('response', onResponse);
    },
  };
}

/** Leads an open page elsewhere in its app, as links do: nothing is loaded that is there already. */
export async function goWithin(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => history.pushState(null, '', to), path);
}

/** Bytes of scripts that the page has loaded so far, as they came over the wire. */
export function countScriptBytes(page: Page): () => Promise<number> {
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script') return;
    sizes.push(
      response
        .finished()
        .then(() => response.request().sizes())
        .then(({ responseBodySize }) => responseBodySize),
    );
  });
  return async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

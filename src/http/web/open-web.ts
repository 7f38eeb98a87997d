import type { Config } from '../../config/config.ts';
import type { Logger } from '../../infra/logger.ts';
import { BUILT_WEB, ensureWebBuilt } from './web-build.ts';
import { readWebFiles } from './web-files.ts';
import { createWebPages, type WebPages, type WebPagesOptions } from './web-pages.ts';

/**
 * Begins to make the web apps ready, while the shop does other things at its start. Never rejects.
 * @returns makes the pages once the rest of the shop is there; null where the web apps are off or there is no build of them
 */
export function openWeb(
  { http }: Pick<Config, 'http'>,
  logger: Logger,
): (options: WebPagesOptions) => Promise<WebPages | null> {
  if (!http.web) return () => Promise.resolve(null);
  const reading = ensureWebBuilt(logger)
    .then((built) => (built ? readWebFiles(BUILT_WEB) : null))
    .catch((error: unknown) => {
      logger.warn({ err: error }, 'the built web apps could not be read, and the API is served without them');
      return null;
    });
  return async (options) => {
    const files = await reading;
    return files === null ? null : createWebPages({ files, ...options });
  };
}

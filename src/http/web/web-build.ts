import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Logger } from '../../infra/logger.ts';

const pathOf = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const SCRIPT = pathOf('scripts/build-web.mjs');

/** Where the built web apps are. */
export const BUILT_WEB = pathOf('dist/web');

/** Generous: on a small machine that starts other things at the same time. */
const BUILD_WITHIN_MS = 300_000;

/**
 * Builds the web apps where the tools are installed and the sources have changed since the last build. A process of its own does
 * it, so that the memory of the tools is free again. A build that fails leaves the one before in place.
 * @returns whether there is a build to serve
 */
export async function ensureWebBuilt(logger: Logger): Promise<boolean> {
  if (existsSync(SCRIPT) && existsSync(pathOf('node_modules/vite'))) {
    try {
      // A process of its own costs a quarter of a second of processor time, and most starts find that nothing has changed.
      const { isCurrent } = (await import(pathToFileURL(SCRIPT).href)) as { isCurrent(): boolean };
      if (!isCurrent())
        await promisify(execFile)(process.execPath, [SCRIPT], { timeout: BUILD_WITHIN_MS, cwd: pathOf('.') });
    } catch (error) {
      logger.warn({ err: error }, 'the web apps could not be built');
    }
  }
  const built = existsSync(`${BUILT_WEB}/shop/index.html`);
  if (!built) {
    logger.warn(
      'the shop window and the dashboard are not built, and the API is served without them: run `npm ci` with development ' +
        'dependencies before `npm prune --omit=dev`, or set WEB=off',
    );
  }
  return built;
}

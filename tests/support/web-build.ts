import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where the build of the web apps is. */
export const WEB_BUILD = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** Builds the web apps, unless the install or another test has built them from the present sources. */
export async function ensureWebBuild(): Promise<void> {
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../scripts/build-web.mjs', import.meta.url))]);
}

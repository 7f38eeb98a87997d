import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { nodeArguments } from './compiled.ts';
import { cheapPasswords } from './shop.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A process that lives for seconds spends a tenth of the processor time of its start on optimised code that it hardly runs. Beside other
 * processes, threads that collect garbage together cost more than one thread alone.
 */
const SHORT_LIVED = ['--no-opt', '--single-threaded-gc'];

/** A shop in a process of its own. */
export interface ShopProcess {
  child: ChildProcess;
  url: string;
  wsUrl: string;
  /** The address of its embedded PostgreSQL, where it has one. */
  databasePort: number;
  output(): string;
  /** Resolves with its exit status, or the signal that killed it. */
  exited: Promise<number | string>;
}

/** Where a test may have a data folder of its own; what is left running in it ends with the test run. */
export function newDataDir(): string {
  return join(inject('postgres').runFolder, `data-${randomUUID()}`);
}

/** Runs an entry, with its arguments, in a group of its own as a shell would. */
export function startProcess(
  entry: string | readonly string[],
  env: NodeJS.ProcessEnv,
): Pick<ShopProcess, 'child' | 'output' | 'exited'> {
  const child = spawn(process.execPath, [...SHORT_LIVED, ...nodeArguments(...[entry].flat())], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = once(child, 'close').then(([status, signal]) => (status ?? signal) as number | string);
  return { child, output: () => output, exited };
}

/** Starts the shop and waits until it says that it is open. Its clock may be another than the machine's. */
export async function startShopProcess(
  env: NodeJS.ProcessEnv,
  { clockShiftMs = 0 }: { clockShiftMs?: number } = {},
): Promise<ShopProcess> {
  const shifted = ['--import', './tests/support/shifted-clock.ts'];
  const { child, output, exited } = startProcess([...(clockShiftMs === 0 ? [] : shifted), 'src/server.ts'], {
    PORT: '0',
    WEB: 'off',
    ...cheapPasswords(env),
    ...(clockShiftMs === 0 ? {} : { CLOCK_SHIFT_MS: String(clockShiftMs) }),
    ...env,
  });
  const open = new Promise<void>((resolve) => {
    child.stdout?.on('data', () => {
      if (output().includes('Ctrl-C stops it.')) resolve();
    });
  });
  const failed = exited.then((status) => {
    throw new Error(`the shop ended with ${status}:\n${output()}`);
  });
  await Promise.race([open, failed]);
  failed.catch(() => {});
  const [, url = ''] = /(http:\/\/localhost:\d+)\/(?:graphql|health)/.exec(output()) ?? [];
  const [, databasePort] = /"port":(\d+)/.exec(output()) ?? [];
  return {
    child,
    url,
    wsUrl: `${url.replace('http', 'ws')}/graphql`,
    databasePort: Number(databasePort),
    output,
    exited,
  };
}

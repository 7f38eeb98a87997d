import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeArguments } from '../../tests/support/compiled.ts';

/** One process of the shop, which is started again where it ended, as a supervisor would. */
export interface ShopProcess {
  name: string;
  url: string;
  /** Sends it a signal. Killed, it stays away until `revive`. */
  signal(signal: NodeJS.Signals): void;
  revive(): void;
  isReady(): Promise<boolean>;
  /** How often it ended though nobody killed it. A start that finds the database away does not count: it ends, by design. */
  readonly endedByItself: number;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '../..');
const STOP_WITHIN_MS = 12_000;

/** @param options.logFile gets what it writes */
export function startShopProcess(options: {
  name: string;
  entry: string;
  port: number;
  env: NodeJS.ProcessEnv;
  logFile: string;
}): ShopProcess {
  const { name, entry, port, env, logFile } = options;
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let killed = false;
  /** Those whose end may be heard of only after the next one was started. */
  const victims = new WeakSet<ChildProcess>();
  let stopping = false;
  let endedByItself = 0;
  /** Where in the log the present process began. */
  let logStart = 0;
  const atExit = () => child?.kill('SIGKILL');
  process.once('exit', atExit);

  function start(): void {
    const log = openSync(logFile, 'a');
    logStart = fstatSync(log).size;
    const { PATH, HOME } = process.env;
    const started = spawn(process.execPath, nodeArguments(entry), {
      cwd: ROOT,
      stdio: ['ignore', log, log],
      env: { PATH, HOME, ...env, HOST: '127.0.0.1', PORT: String(port) },
    });
    closeSync(log);
    child = started;
    started.once('exit', () => {
      if (victims.has(started) || stopping) return;
      if (!didNotStart()) endedByItself += 1;
      setTimeout(() => {
        if (!stopping && child === started) start();
      }, 500);
    });
  }

  function didNotStart(): boolean {
    return readFileSync(logFile).subarray(logStart).includes('The shop could not start:');
  }

  start();
  return {
    name,
    url,
    signal(signal) {
      killed ||= signal === 'SIGKILL';
      if (signal === 'SIGKILL' && child !== undefined) victims.add(child);
      child?.kill(signal);
    },
    revive() {
      if (!killed) return;
      killed = false;
      start();
    },
    async isReady() {
      try {
        const { status } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
        return status === 200;
      } catch {
        return false;
      }
    },
    get endedByItself() {
      return endedByItself;
    },
    async stop() {
      stopping = true;
      process.off('exit', atExit);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await Promise.race([gone, delay(STOP_WITHIN_MS, undefined, { ref: false }).then(() => child?.kill('SIGKILL'))]);
    },
  };
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tally, verdictOf, type RunReport } from './test-repeat/tally.ts';

/*
 * npm run test:repeat -- --times 10 [--busy] [paths]: runs the tests again and again, and lists those that failed in any run.
 */

const USAGE = `Usage: npm run test:repeat -- [--times 10] [--busy] [paths]

  --times  how often the tests are run (1 to 1000)
  --busy   keeps one core busy meanwhile
  paths    files or folders; all tests where none is given

Exit code: 0 no test ever failed, 1 one did, 2 wrong arguments.`;

interface Options {
  times: number;
  busy: boolean;
  paths: string[];
}

const root = join(import.meta.dirname, '..');
const children = new Set<ChildProcess>();
let interrupted = false;

try {
  const options = readOptions(process.argv.slice(2));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      for (const child of children) child.kill(signal);
    });
  }
  process.exitCode = (await repeat(options)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
if (interrupted) process.exitCode = 130;

function readOptions(args: string[]): Options {
  const { values, positionals: paths } = parseArgs({
    args,
    options: { times: { type: 'string', default: '10' }, busy: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const times = Number(values.times);
  if (!Number.isInteger(times) || times < 1 || times > 1000) {
    throw new Error(`--times takes a whole number from 1 to 1000, not "${values.times}".`);
  }
  return { times, busy: values.busy, paths };
}

/** Runs the tests, and prints the verdict. @returns whether no test failed */
async function repeat({ times, busy, paths }: Options): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-repeat-'));
  try {
    if (busy) run(['--eval', 'for (;;);']);
    const reports: (RunReport | null)[] = [];
    for (let number = 1; number <= times && !interrupted; number += 1) {
      process.stdout.write(`\nrun ${number} of ${times}\n`);
      const report = await runTests(paths, join(folder, `${number}.json`));
      if (!interrupted) reports.push(report);
    }
    const result = tally(reports, root);
    process.stdout.write(`${verdictOf(result, reports.length, busy).join('\n')}\n`);
    return result.passed;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: string[]): ChildProcess {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Runs the tests once. @returns the report, or null where there is none */
async function runTests(paths: readonly string[], file: string): Promise<RunReport | null> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['dot', 'json', './tests/support/count-reporter.ts'].map((name) => `--reporter=${name}`);
  await once(run([vitest, 'run', ...reporters, `--outputFile.json=${file}`, ...paths]), 'exit');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunReport;
  } catch {
    return null;
  }
}

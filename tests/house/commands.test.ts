import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../src/commands/command.ts';
import { callCommand } from '../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newDataDir, startProcess } from '../support/shop-process.ts';

// What all commands of the shop (`npm run …`) have in common.

const folder = join(import.meta.dirname, '../../src/commands');
const RUNS = /^await runIfMain\(import\.meta\.url, (\w+)/m;
const commands = readdirSync(folder)
  .map((file) => ({ file, name: RUNS.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? '' }))
  .filter(({ name }) => name !== '');

async function load({ file, name }: { file: string; name: string }): Promise<Command> {
  const module = (await import(join(folder, file))) as Record<string, Command>;
  return module[name] ?? expect.fail();
}

test('every script of package.json that starts a file in src/commands starts a command', () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const started = Object.values(scripts).flatMap((script) => /src\/commands\/(\S+)/.exec(script)?.[1] ?? []);
  expect(started.toSorted()).toEqual(commands.map(({ file }) => file).toSorted());
});

describe.each(commands)('$file', (given) => {
  test('explains itself with --help, and does nothing', async () => {
    const DATA_DIR = newDataDir();
    const { status, stdout, output } = await callCommand(await load(given), ['--help'], { DATA_DIR });
    expect([status, output]).toEqual([0, stdout]);
    expect(output).toMatch(/^Usage: npm run .+\n\n\S/);
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  test.each([[['--no-such-option']], [['one', 'two', 'three', 'four']]])(
    'rejects %j, and does nothing',
    async (args) => {
      const DATA_DIR = newDataDir();
      const { status, stdout, output } = await callCommand(await load(given), args, { DATA_DIR });
      expect(status).not.toBe(0);
      expect(stdout).toBe('');
      expect(output).toMatch(/^(Unknown option '--no-such-option'|Unexpected argument: )/);
      expect(output).toContain('\n\nUsage: npm run ');
      expect(existsSync(DATA_DIR)).toBe(false);
    },
  );
});

describe('as a process', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.dispose());

  async function run(args: readonly string[], env: NodeJS.ProcessEnv) {
    const { child, output, exited } = startProcess(args, { DATA_DIR: newDataDir(), ...env });
    let stdout = '';
    child.stdout?.on('data', (text: string) => (stdout += text));
    return { status: await exited, output: output(), stdout };
  }

  test('a command prints its result alone on the standard output, and its log on the standard error', async () => {
    const env = { DATABASE_URL: database.url, LOG_LEVEL: 'debug' };
    const { status, stdout, output } = await run(['src/commands/export.ts', 'orders'], env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\uFEFF?Order,?[^\n{]*\r?\n$/);
    expect(output).toContain('{"level":');
  });

  test.each([
    ['src/server.ts', '--port=5000', 1, /^Unknown option '--port'.*\n\nUsage: npm start\n\n\S/],
    ['src/worker.ts', '5000', 1, /^Unexpected argument: 5000\n\nUsage: npm run worker\n\n\S/],
    ['src/server.ts', '--help', 0, /^Usage: npm start\n\n\S/],
  ])('%s %s does not start the shop, and says what it takes', async (file, argument, status, message) => {
    const DATA_DIR = newDataDir();
    const ended = await run([file, argument], { DATA_DIR });
    expect(ended).toMatchObject({ status, stdout: status === 0 ? ended.output : '' });
    expect(ended.output).toMatch(message);
    expect(existsSync(DATA_DIR)).toBe(false);
  });
});

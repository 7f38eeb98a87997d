import { Readable, Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { Command } from '../../bench/command.ts';
import type { Command as ShopCommand } from '../../src/commands/command.ts';
import { compiledEnv } from './compiled.ts';
import { startProcess } from './shop-process.ts';
import { until } from './until.ts';

/** What a command printed, all streams together, and its exit code, or the signal that killed it. */
export interface CommandResult {
  code: number | string;
  output: string;
}

/** Runs a command of `bench/` in this process, which costs no start of another process. */
export async function runInProcess(
  command: Command,
  args: readonly string[],
  { env, signal = new AbortController().signal }: { env: NodeJS.ProcessEnv; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  let output = '';
  const progress = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      output += text;
      done();
    },
  });
  const print = (what: unknown) => {
    output += `${typeof what === 'string' ? what : inspect(what)}\n`;
  };
  const code = await command(args, { env, signal, print, printError: print, progress });
  return { code, output };
}

/**
 * Calls a command of `src/commands/` in this process, which costs no start of another process.
 * @param input what it reads from its standard input
 */
export async function callCommand(
  command: ShopCommand,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
): Promise<{ status: number | string; output: string; stdout: string }> {
  let [output, stdout] = ['', ''];
  const collect = (note: (text: string) => void) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        note(chunk.toString());
        done();
      },
    });
  const status = await command(args, {
    env,
    signal: new AbortController().signal,
    stdin: Readable.from([input]),
    stdout: collect((text) => {
      output += text;
      stdout += text;
    }),
    stderr: collect((text) => (output += text)),
  });
  return { status, output, stdout };
}

/** Runs a file of `bench/` in a process of its own, as a person would. Processes that it starts are compiled, too. */
export async function runAsProcess(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const { exited, output } = startProcess([file, ...args], { ...compiledEnv(), ...env });
  return { code: await exited, output: output() };
}

/** Waits until a shop answers that it is ready, which it may not be yet when it is open. A torture run asks once, as it starts. */
export async function untilReady({ url }: { url: string }): Promise<void> {
  await until('the shop is ready', async () => (await fetch(`${url}/health/ready`)).status === 200);
}

import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { Command } from '../../bench/command.ts';
import { nodeArguments } from './compiled.ts';

/** What a command printed, all streams together, and its exit code. */
export interface CommandResult {
  code: unknown;
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
  const printError = (what: unknown) => {
    output += `${typeof what === 'string' ? what : inspect(what)}\n`;
  };
  const code = await command(args, { env, signal, print: printError, printError, progress });
  return { code, output };
}

/** Runs a file of `bench/` in a process of its own, as a person would. */
export async function runAsProcess(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const child = spawn(process.execPath, nodeArguments(file, ...args), { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output };
}

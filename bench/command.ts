import type { Writable } from 'node:stream';

/** What a command works with: the parts of its process, or what a test passes instead. */
export interface CommandContext {
  env: NodeJS.ProcessEnv;
  /** Aborts the run, which then ends without a verdict. */
  signal: AbortSignal;
  print: (line: string) => void;
  /** Called with a message, or with the error itself if the error was not expected. */
  printError: (what: unknown) => void;
  /** Stream on which progress is drawn. */
  progress: Writable;
}

/**
 * A command that can be called any number of times in a process: it leaves no state, listeners or open handles behind.
 * @returns the exit code
 */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

/** Runs a command as this process. The first of the signals aborts the run. */
export async function runCommand(command: Command, signals: readonly NodeJS.Signals[] = ['SIGINT']): Promise<void> {
  const stop = new AbortController();
  for (const signal of signals) process.once(signal, () => stop.abort());
  process.exitCode = await command(process.argv.slice(2), {
    env: process.env,
    signal: stop.signal,
    print: console.log,
    printError: console.error,
    progress: process.stderr,
  });
}

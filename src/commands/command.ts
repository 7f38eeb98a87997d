import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs, type ParseArgsConfig } from 'node:util';
import { ConfigError, loadConfig, type Config } from '../config/config.ts';
import { createLogger, type Logger } from '../infra/logger.ts';

/*
 * What the commands of the shop have in common: how they read their arguments, explain themselves, end, and log. A command is a function
 * that its file runs if node was started with that file, so that tests can also call it in their own process.
 */

/** npm forwards a Ctrl-C that the terminal has already sent to this process: two signals this close together are one. */
export const SAME_SIGNAL_MS = 500;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** What a command works with: the parts of its process, or what a test passes instead. */
export interface CommandContext {
  /** The environment; undefined for that of the process. */
  env: NodeJS.ProcessEnv | undefined;
  /** Aborted when the command should end early. Only commands that finish what they have begun look at it. */
  signal: AbortSignal;
  /** For what a command asks for, such as a password. */
  stdin: Readable & { isTTY?: boolean };
  /** For the result alone, which may be piped elsewhere. */
  stdout: Writable;
  /** For errors and progress. */
  stderr: Writable & { isTTY?: boolean };
}

/**
 * A command that can be called any number of times in a process: it leaves no state, listeners or open handles behind.
 * @returns the exit code
 */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>;

/** The arguments of a command are wrong: it prints the message and its usage. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Given extends Options> = ReturnType<typeof parseArgs<{ options: Given }>>['values'];

export interface CommandDefinition<Given extends Options> {
  /** Printed with --help, and when the arguments are wrong. */
  usage: string;
  /** Options besides --help, as `parseArgs` takes them. */
  options?: Given;
  /** The least and the largest number of arguments that are not options; none by default. */
  positionals?: readonly [least: number, most: number];
  /** The exit code if the arguments are wrong or the command fails. */
  failure: number;
  /** Whether the message of an error explains it; other errors are printed with their stack trace. By default those of the configuration. */
  isExplained?: (error: unknown) => boolean;
  /** Does the work. @returns the exit code; 0 if nothing is returned */
  run(given: { values: Values<Given>; positionals: string[] }, context: CommandContext): Promise<number | void>;
}

/** Makes a command that explains itself with --help, rejects arguments that it does not know, and ends with an exit code. */
export function defineCommand<Given extends Options>(definition: CommandDefinition<Given>): Command {
  const { usage, failure, isExplained = (error) => error instanceof ConfigError, run } = definition;
  return async (args, context) => {
    try {
      const given = readArguments(definition, args);
      if (given === null) {
        print(context.stdout, usage);
        return 0;
      }
      return (await run(given, context)) ?? 0;
    } catch (error) {
      if (error instanceof UsageError)
        print(context.stderr, error.message === '' ? usage : `${error.message}\n\n${usage}`);
      // (A refused connection to localhost is an error without a message.)
      else if (error instanceof Error && error.message !== '' && isExplained(error))
        print(context.stderr, error.message);
      else print(context.stderr, inspect(error));
      return failure;
    }
  };
}

/**
 * Reads arguments.
 * @returns null for --help
 * @throws UsageError
 */
export function readArguments<Given extends Options>(
  { options, positionals: [least, most] = [0, 0] }: Pick<CommandDefinition<Given>, 'options' | 'positionals'>,
  args: readonly string[],
): { values: Values<Given>; positionals: string[] } | null {
  const { values, positionals } = parse({ ...options, help: { type: 'boolean' } }, args);
  if (values['help'] === true) return null;
  if (positionals.length < least) throw new UsageError();
  if (positionals.length > most) throw new UsageError(`Unexpected argument: ${positionals[most]}`);
  return { values: values as Values<Given>, positionals };
}

function parse(options: Options, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Writes a line to a stream. */
export function print(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

/**
 * Runs a command if node was started with its file: `await runIfMain(import.meta.url, command)`.
 * @param url the address of the module, which in a compiled file is that of the source
 * @param stops whether the first signal only asks the command to end; by default it ends the process
 */
export async function runIfMain(url: string, command: Command, { stops = false } = {}): Promise<void> {
  const [main = '', ...args] = process.argv.slice(1);
  if (nameOf(main) !== nameOf(fileURLToPath(url))) return;
  process.exitCode = await command(args, {
    env: undefined,
    signal: listenForSignals(stops),
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin;
    },
  });
}

/** The place of a command below `src`, compiled or not; null for other files. */
function nameOf(path: string): string | null {
  return /[/\\]src[/\\](commands[/\\][\w-]+)\.\w+$/.exec(path)?.[1] ?? null;
}

/**
 * Has signals end a command by `process.exit`, so that what stops the embedded database is run. Without it they would end the process at
 * once, and the database would stay behind.
 */
function listenForSignals(stops: boolean): AbortSignal {
  const stop = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      first ??= performance.now();
      if (!stops || performance.now() - first > SAME_SIGNAL_MS) process.exit(EXIT_CODES[signal]);
      stop.abort();
    });
  }
  return stop.signal;
}

/**
 * Configuration and log of a command. The log is written to the standard error, since the standard output is the result, and says nothing
 * below a warning unless LOG_LEVEL asks for more.
 * @throws ConfigError
 */
export function configure({ env }: CommandContext): { config: Config; logger: Logger } {
  const config = loadConfig(env);
  const { level, pretty } = config.log;
  return { config, logger: createLogger({ level: level === 'info' ? 'warn' : level, pretty }, 2) };
}

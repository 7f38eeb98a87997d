import { setTimeout as delay } from 'node:timers/promises';
import { mailboxToken } from '../infra/mail/mailer-mailbox.ts';
import { createApp, type App } from '../app.ts';
import { ConfigError, loadConfig, type Config, type Role } from '../config/config.ts';
import { createLogger, type Logger } from '../infra/logger.ts';
import { print, readArguments, SAME_SIGNAL_MS, UsageError } from './command.ts';

/** A stop that takes longer counts as failed; supervisors kill the process soon after. */
const STOP_WITHIN_MS = 9_500;
const LINGER_MS = 250;

/** How a run ended. */
export interface Ending {
  status: number;
  /** Whether everything was closed: the process then ends by itself, and the last lines of its log go out. */
  orderly: boolean;
}

/**
 * Runs the shop until it receives a stop signal. It takes no arguments but --help.
 * @param usage printed for --help, and where there are other arguments
 * @param roles what this process is to do, whatever the configuration says
 */
export async function run(usage: string, roles?: readonly Role[]): Promise<Ending> {
  const answered = answerArguments(usage);
  if (answered !== null) return answered;
  const config = readConfig(roles);
  if (config === null) return { status: 1, orderly: true };
  const logger = createLogger(config.log);
  const stop = listenForStop(logger);

  const giveUp = new AbortController();
  void stop.asked.then(() => giveUp.abort());
  let opened: App | null = null;
  const opening = createApp(config, logger, {}, giveUp.signal);
  try {
    // A start that waits can be interrupted.
    const first = await Promise.race([opening, stop.asked]);
    if ('dispose' in first) {
      opened = first;
      announce(first, config, logger);
    }
  } catch (error) {
    logger.fatal({ err: error }, 'the shop could not start');
    process.stderr.write(`\n${explain(error, config)}\n`);
    return { status: 1, orderly: true };
  }

  const endWhenLost = async (app: App) => {
    const { message } = await app.lost;
    logger.fatal(message);
    process.stderr.write(`\n${message}\n`);
    stop.ask({ status: 1, cause: 'the database is lost' });
  };
  // A start that fails after a stop signal is handled below.
  opening.then(endWhenLost, () => {});
  const { status, cause } = await stop.asked;
  if (cause === 'SIGTERM' && opened !== null && config.http.drainSeconds > 0) {
    logger.info({ seconds: config.http.drainSeconds }, 'draining: reported as not ready, still answering requests');
    opened.drain();
    await Promise.race([delay(config.http.drainSeconds * 1000, undefined, { ref: false }), stop.again]);
  }
  logger.info({ cause }, 'stopping');
  const orderly = await Promise.race([
    opening.then((app) => app.dispose()).then(() => true),
    stop.again.then(() => false),
    new Promise<false>((resolve) => {
      setTimeout(resolve, STOP_WITHIN_MS, false).unref();
    }),
  ]).catch((error: unknown) => {
    if (error !== giveUp.signal.reason)
      logger.error({ err: error }, 'the shop received a stop signal while failing to start');
    return true;
  });
  logger.info(orderly ? 'stopped' : 'stopped before everything had finished');
  return { status: orderly ? status : 1, orderly };
}

/** Leaves the process as a run ended. */
export function leave({ status, orderly }: Ending): void {
  if (!orderly) process.exit(status);
  process.exitCode = status;
  // Should something hold the process after all, it is not worth waiting for.
  setTimeout(() => process.exit(status), LINGER_MS).unref();
}

/** @returns null if there are no arguments, and the shop is to run */
function answerArguments(usage: string): Ending | null {
  try {
    if (readArguments({}, process.argv.slice(2)) !== null) return null;
    print(process.stdout, usage);
    return { status: 0, orderly: true };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(process.stderr, `${error.message}\n\n${usage}`);
    return { status: 1, orderly: true };
  }
}

function readConfig(roles: readonly Role[] | undefined): Config | null {
  try {
    return loadConfig(undefined, roles);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

/** Handles signals and uncaught errors; after an uncaught error, the state of the process cannot be relied on. */
function listenForStop(logger: Logger) {
  let ask: (reason: { status: number; cause: string }) => void = () => {};
  let insist: () => void = () => {};
  const asked = new Promise<{ status: number; cause: string }>((resolve) => {
    ask = resolve;
  });
  const again = new Promise<void>((resolve) => {
    insist = resolve;
  });
  let first: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      first ??= performance.now();
      ask({ status: 0, cause: signal });
      if (performance.now() - first > SAME_SIGNAL_MS) insist();
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event);
      ask({ status: 1, cause: event });
    });
  }
  return { asked, again, ask: (reason: { status: number; cause: string }) => ask(reason) };
}

/** What to do about a start that failed, for people. */
function explain(error: unknown, { http }: Config): string {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: String(error) };
  if (code === 'EADDRINUSE') {
    return `Port ${http.port} is in use, perhaps by a shop that is already running. Stop that process or choose another port: PORT=${http.port + 1}`;
  }
  if (code === 'EACCES') return `This user may not listen on port ${http.port}. Set PORT to a port above 1023.`;
  // A refused connection to localhost is several errors in one, which has no message of its own.
  const causes = error instanceof AggregateError ? error.errors.map(String).join('; ') : '';
  return `The shop could not start: ${message === '' ? causes : message}`;
}

/** Says where the shop is: to people as they read, in production as one line of the log. */
function announce({ url, data, admin }: App, { roles, production, http, mail, secrets }: Config, logger: Logger): void {
  if (production) {
    logger.info({ url, roles, data }, 'the shop is open');
    return;
  }
  const api = roles.includes('api');
  const lines: [string, string][] = [
    ...(api && http.web
      ? ([
          ['Shop', url],
          ['Dashboard', `${url}/dashboard`],
        ] as [string, string][])
      : []),
    ...(api
      ? ([
          [http.graphiql ? 'GraphiQL and API' : 'API', `${url}/graphql`],
          ['WebSocket', `${url.replace('http', 'ws')}/graphql`],
        ] as [string, string][])
      : []),
    ...(mail.smtpUrl === null
      ? ([['Mailbox', `${url}/mailbox?token=${mailboxToken(secrets)}`]] as [string, string][])
      : []),
    ['Health', `${url}/health/ready`],
    ['Roles', roles.join(', ')],
    ['Data', data],
    ...(admin === null ? [] : [describeAdmin(admin)]),
  ];
  const text = lines.map(([name, value]) => `  ${name.padEnd(18)}${value}`).join('\n');
  process.stdout.write(`\nThe shop is open.\n\n${text}\n\nCtrl-C stops it.\n\n`);
}

/** The first admin, printed by the start that created the account. */
function describeAdmin({ email, passwordFile }: NonNullable<App['admin']>): [string, string] {
  return ['Admin', passwordFile === null ? email : `${email}, initial password in ${passwordFile}`];
}

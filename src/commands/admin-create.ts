import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { openCore } from '../app.ts';
import { ConfigError, loadConfig } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import { Refusal } from '../modules/user-error.ts';
import { endOnSignals } from './end-on-signals.ts';

const USAGE = `Usage: npm run admin:create -- EMAIL [--name NAME]

Creates an account with the role ADMIN. The password is read from ADMIN_PASSWORD, from a pipe, or from a prompt. If the email
address already has an account, the account gets the role and the password, and its sessions end.`;

endOnSignals();
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string', default: 'Admin' }, help: { type: 'boolean', default: false } },
  });
  const [email, ...rest] = positionals;
  if (values.help) console.log(USAGE);
  else if (email === undefined || rest.length > 0) throw new Error(USAGE);
  else await create(email, values.name);
} catch (error) {
  if (error instanceof Refusal) console.error(error.errors.map(({ message }) => message).join('\n'));
  else console.error(error instanceof ConfigError || error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function create(email: string, name: string): Promise<void> {
  const config = loadConfig();
  const password = config.accounts.adminPassword ?? (await askForPassword());
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const core = await openCore(config, logger);
  try {
    const { created } = await core.services.admin.createAdmin({ email, name, password });
    // Other processes may not be running: the events get their numbers before this one goes.
    await core.relay.flush();
    console.log(
      created
        ? `${email} is an ADMIN.`
        : `${email} had an account already. The account now has the role ADMIN and the given password.`,
    );
  } finally {
    await core.dispose();
  }
}

/** One line of the standard input; typed at a terminal, it is not shown. */
async function askForPassword(): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write('Password: ');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: stdin.isTTY });
  try {
    for await (const line of lines) return line;
    throw new Error('No password given.');
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
  }
}

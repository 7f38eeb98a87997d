import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Refusal } from '../modules/user-error.ts';
import { loadConfig } from '../config/config.ts';
import { defineCommand, print, runIfMain, type CommandContext } from './command.ts';
import { withCore } from './with-core.ts';

const USAGE = `Usage: npm run admin:create -- EMAIL [--name NAME]

Creates an account with the role ADMIN. The password is read from ADMIN_PASSWORD, from a pipe, or from a prompt. If the email
address already has an account, the account gets the role and the password, and its sessions end.`;

export const adminCreate = defineCommand({
  usage: USAGE,
  options: { name: { type: 'string', default: 'Admin' } },
  positionals: [1, 1],
  failure: 1,
  isExplained: () => true,
  async run({ values: { name }, positionals: [email = ''] }, context) {
    const password = loadConfig(context.env).accounts.adminPassword ?? (await askForPassword(context));
    try {
      const { created } = await withCore(context, ({ services: { admin } }) =>
        admin.createAdmin({ email, name, password }),
      );
      print(
        context.stdout,
        created
          ? `${email} is an ADMIN.`
          : `${email} had an account already. The account now has the role ADMIN and the given password.`,
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Error(error.errors.map(({ message }) => message).join('\n'), { cause: error });
    }
  },
});

/** One line of the standard input; typed at a terminal, it is not shown. */
async function askForPassword({ stdin, stderr }: CommandContext): Promise<string> {
  const terminal = stdin.isTTY === true;
  if (terminal) stderr.write('Password: ');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal });
  try {
    for await (const line of lines) return line;
    throw new Error('No password given.');
  } finally {
    lines.close();
    if (terminal) stderr.write('\n');
  }
}

await runIfMain(import.meta.url, adminCreate);

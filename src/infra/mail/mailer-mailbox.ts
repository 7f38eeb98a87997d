import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MailFault, writeMessage, type Mailbox, type Mailer } from './mailer.ts';
import { createSigner } from '../signer.ts';

/*
 * The local mailbox: a file for each mail, named by the mail's id. Those begin with the time at which the mail was written
 * down, so that names sort by it; a mail that is sent twice is one file. Other processes may share the folder.
 */

/** Mails kept; the oldest go. */
const KEPT = 1000;
/** The share of `KEPT` that may come on top before the folder is tidied up: listing it takes longer than writing a mail. */
const SLACK = 0.05;
const NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.eml$/;

/** The names of the mails that there are, the newest first. */
export async function listMailbox(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(orNothing([]));
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .toSorted()
    .toReversed();
}

/** A mail as it was sent; null where there is none of that name. */
export async function readFromMailbox(folder: string, id: string): Promise<Buffer | null> {
  const name = `${id}.eml`;
  return NAME.test(name) ? readFile(join(folder, name)).catch(orNothing(null)) : null;
}

function orNothing<T>(nothing: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return nothing;
    throw error;
  };
}

/** Puts mails into a folder, which others than the owner cannot read: there are secrets in them. */
export function createMailboxMailer(options: { folder: string; from: Mailbox; kept?: number }): Mailer {
  const { folder, from, kept = KEPT } = options;
  let isMade = false;
  /** Mails written since the folder was tidied up. */
  let written = Infinity;

  async function write(name: string, message: Buffer): Promise<void> {
    if (!isMade) await mkdir(folder, { recursive: true, mode: 0o700 });
    isMade = true;
    const draft = join(folder, `.${name}.${randomUUID()}`);
    try {
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(message);
        // Once it counts as sent, it must outlast a power cut.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, join(folder, name));
    } catch (error) {
      isMade = false;
      await rm(draft, { force: true });
      throw error;
    }
  }

  async function tidyUp(): Promise<void> {
    written += 1;
    if (written < kept * SLACK) return;
    written = 0;
    for (const id of (await listMailbox(folder)).slice(kept)) await rm(join(folder, `${id}.eml`), { force: true });
  }

  return {
    async send(mail) {
      const message = await writeMessage(mail, from);
      try {
        await write(`${mail.id}.eml`, message);
        await tidyUp();
      } catch (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException;
        throw new MailFault(`the mailbox could not be written (${code})`, { permanent: false });
      }
    },
  };
}

/** Opens the page of a shop's mailbox without a log-in: the same for all processes of the shop, and after each start. */
export function mailboxToken(secrets: readonly string[]): string {
  return createSigner(secrets).sign('mailbox page', '');
}

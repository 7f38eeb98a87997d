import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { createMailboxMailer } from './mailer-mailbox.ts';
import { createSmtpMailer } from './mailer-smtp.ts';
import { parseSender, type Mailer } from './mailer.ts';

/** The one choice of where mails go: to the SMTP server where one is set, else into the local mailbox. */
export function createMailer(config: Pick<Config, 'mail' | 'shop' | 'dataDir'>): Mailer {
  const { mail, shop } = config;
  const from = parseSender(mail.from, shop.name);
  const folder = mailboxFolder(config);
  return folder === null ? createSmtpMailer({ url: mail.smtpUrl ?? '', from }) : createMailboxMailer({ folder, from });
}

/** Where the local mailbox is; null where mails go to a server. */
export function mailboxFolder({ mail, dataDir }: Pick<Config, 'mail' | 'dataDir'>): string | null {
  return mail.smtpUrl === null ? join(dataDir, 'mailbox') : null;
}

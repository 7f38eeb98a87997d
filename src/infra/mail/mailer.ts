import { readEmailAddress } from '../../config/email-address.ts';
import MailComposer from 'nodemailer/lib/mail-composer';

/** A mail as it goes out. */
export interface OutgoingMail {
  /** Of its row. */
  id: string;
  /** Message-ID, the same for every attempt. */
  messageId: string;
  /** When it is sent. */
  at: Date;
  /** An address. */
  to: string;
  subject: string;
  html: string;
  text: string;
  /** For one click (RFC 8058); null where it is a mail that cannot be declined. */
  unsubscribeUrl: string | null;
}

/** A sender. */
export interface Mailbox {
  name: string;
  address: string;
}

/** Where mails go. */
export interface Mailer {
  /**
   * Hands a mail over, within `SEND_WITHIN_MS` or not at all.
   * @throws MailFault where it was not taken, or where nobody said that it was
   */
  send(mail: OutgoingMail): Promise<void>;
}

/** Maximum duration of one attempt, on which the duration of a claim relies. */
export const SEND_WITHIN_MS = 30_000;

/** Why a mail was not taken. */
export class MailFault extends Error {
  /** Another time it would be no better. */
  readonly permanent: boolean;

  constructor(message: string, options: { permanent: boolean }) {
    super(withoutLinks(message));
    this.name = 'MailFault';
    this.permanent = options.permanent;
  }
}

const MAX_REASON = 300;

/** What went wrong, in one line for the record and the log: a server may quote the mail, and its links are secrets. */
export function withoutLinks(message: string): string {
  return (
    message
      .replaceAll(/[\p{Cc}\p{Cs}\s]+/gu, ' ')
      .replaceAll(/\b[a-z][a-z+.-]*:\/\/\S+/gi, '[link]')
      // As it stands in a mail whose lines were broken.
      .replaceAll(/\S*\btoken=\S*/gi, '[link]')
      .trim()
      .slice(0, MAX_REASON)
  );
}

/** The error without email addresses, for the log: servers repeat the recipient in their replies. */
export function withoutAddresses(message: string): string {
  return message.replaceAll(/[^\s<>()"',;]+@[^\s<>()"',;]+/g, '[address]');
}

/** The sender that a setting names: an address, alone or after a name, which else is the shop's. */
export function parseSender(from: string, shopName: string): Mailbox {
  const [, name = '', address = from] = /^([^<>]*)<([^<>]+)>$/.exec(from) ?? [];
  const plain = name.trim().replace(/^"(.*)"$/, '$1');
  return { name: oneLine(plain === '' ? shopName : plain), address: address.trim() };
}

const LINK = /^https?:\/\/[^\s\p{Cc}<>"]+$/u;
const MAX_SUBJECT = 200;

/** Text that cannot begin a header of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ').trim();
}

/**
 * Writes a mail as it goes over the wire.
 * @throws MailFault, a permanent one, where an address or a link could be more than that
 */
export async function writeMessage(mail: OutgoingMail, from: Mailbox): Promise<Buffer> {
  // What is more than an address could end it, or begin another.
  const to = readEmailAddress(mail.to);
  if ('fault' in to) throw new MailFault('this is no address that mail can go to', { permanent: true });
  const { unsubscribeUrl } = mail;
  if (unsubscribeUrl !== null && !LINK.test(unsubscribeUrl)) {
    throw new MailFault('its link to unsubscribe is none', { permanent: true });
  }
  const composer = new MailComposer({
    from,
    to: { name: '', address: to.address },
    subject: oneLine(mail.subject).slice(0, MAX_SUBJECT),
    text: mail.text,
    html: mail.html,
    date: mail.at,
    messageId: mail.messageId,
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribeUrl === null
        ? {}
        : {
            // As it is: broken over two lines, it would not be the link any more for some.
            'List-Unsubscribe': { prepared: true, value: `<${unsubscribeUrl}>` },
            'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          }),
    },
    // A mail is what it says: nothing is read from this machine for it, and nothing fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

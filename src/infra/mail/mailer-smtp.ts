import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { parseConnectionUrl } from 'nodemailer/lib/shared';
import { MailFault, SEND_WITHIN_MS, writeMessage, type Mailbox, type Mailer } from './mailer.ts';

/*
 * Each mail has a connection of its own, which is closed when its time is over. A pool would put a mail whose connection
 * broke back in line by itself, and nobody would know whether it had been taken.
 */

const CONNECT_WITHIN_MS = 10_000;
const GREETING_WITHIN_MS = 10_000;
const SILENT_MS = 20_000;
/** To say goodbye; the mail has been taken by then. */
const QUIT_WITHIN_MS = 2_000;

/**
 * Mails over SMTP: with STARTTLS where the server has it, or over TLS from the start.
 * @param options.greetingWithinMs how long a server that accepts a connection may take for its first line
 */
export function createSmtpMailer(options: { url: string; from: Mailbox; greetingWithinMs?: number }): Mailer {
  const { url, from, greetingWithinMs = GREETING_WITHIN_MS } = options;
  const { auth, ...settings } = parseConnectionUrl(url);

  return {
    async send(mail) {
      const message = await writeMessage(mail, from);
      const connection = new SMTPConnection({
        ...settings,
        connectionTimeout: CONNECT_WITHIN_MS,
        greetingTimeout: greetingWithinMs,
        socketTimeout: SILENT_MS,
        // Closed is gone: a server that does not answer is not waited for.
        socketCloseTimeout: 0,
        logger: false,
        debug: false,
      });
      const late = new MailFault('the server took too long', { permanent: false });
      let timer: NodeJS.Timeout | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          // Timers come before sockets: a process that slept closes the connection before it says anything more on it.
          timer = setTimeout(() => reject(late), SEND_WITHIN_MS);
          connection.on('error', reject);
          connection.once('end', () => reject(new MailFault('the server closed the connection', { permanent: false })));
          const step = (next: () => void) => (error?: Error | null) => (error ? reject(error) : next());
          const send = () =>
            connection.send({ from: from.address, to: [mail.to], size: message.length }, message, step(resolve));
          connection.connect(step(() => (hasName(auth) ? connection.login(auth, step(send)) : send())));
        });
      } catch (error) {
        connection.close();
        throw toFault(error);
      } finally {
        clearTimeout(timer);
      }
      leave(connection);
    },
  };
}

function hasName(auth: { user?: string | undefined } | false | undefined): auth is { user: string; pass?: string } {
  return typeof auth === 'object' && auth.user !== undefined && auth.user !== '';
}

/** Not awaited. */
function leave(connection: SMTPConnection): void {
  const timer = setTimeout(() => connection.close(), QUIT_WITHIN_MS).unref();
  connection.once('end', () => clearTimeout(timer));
  connection.quit();
}

/** The commands that are about one mail; what is refused before them is our setting's fault, or the server's. */
const OF_THE_MAIL: ReadonlySet<unknown> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

/** 5xx that ask for a log-in or for TLS. */
const ABOUT_US = /^53\d$/;

function toFault(error: unknown): MailFault {
  if (error instanceof MailFault) return error;
  const { message, responseCode, command, code } = error as Error & {
    responseCode?: number;
    command?: string;
    code?: string;
  };
  const refused = responseCode !== undefined && responseCode >= 500 && responseCode < 600;
  const forGood = refused && OF_THE_MAIL.has(command) && !ABOUT_US.test(String(responseCode));
  // Not even sent: an address that nodemailer itself takes for none.
  const unsendable = command === 'API' && code === 'EENVELOPE';
  return new MailFault(message, { permanent: forGood || unsendable });
}

import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** Well, refusing for now, silent for a while, or taking a mail and hanging up before it says so. */
export type Mood = 'well' | 'refuses' | 'slow' | 'hangs up';

/** A mail server that remembers what it was sent. */
export interface MailServer {
  url: string;
  mood: Mood;
  /** How often the server said that it took a mail, by recipient. */
  taken: Map<string, number>;
  close(): Promise<void>;
}

const SLOW_MS = 1_500;

export async function startMailServer(): Promise<MailServer> {
  const taken = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo(_address, _session, callback) {
      if (mail.mood !== 'refuses') return callback();
      callback(Object.assign(new Error('4.3.2 Try again later'), { responseCode: 451 }));
    },
    onData(stream, session, callback) {
      stream.resume();
      stream.once('end', () => {
        const answer = () => {
          if (mail.mood !== 'hangs up') {
            for (const { address } of session.envelope.rcptTo) taken.set(address, (taken.get(address) ?? 0) + 1);
            callback();
            return;
          }
          const { connections } = server as unknown as { connections: Set<{ _socket: Socket }> };
          for (const connection of connections) connection._socket.destroy();
          callback(new Error('hung up'));
        };
        setTimeout(answer, mail.mood === 'slow' ? SLOW_MS : 0);
      });
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const mail: MailServer = {
    url: `smtp://127.0.0.1:${port}`,
    mood: 'well',
    taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
  return mail;
}

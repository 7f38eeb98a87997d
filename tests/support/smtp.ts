import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** What the server says at a point; DROP cuts the connection, HOLD says nothing until it is released. */
export type Say = 'OK' | 'DROP' | 'HOLD' | { code: number; text: string };

/** Where it can say it. */
export type Point = 'GREETING' | 'MAIL' | 'RCPT' | 'DATA';

/** A mail that arrived in full. */
export interface Arrived {
  from: string;
  to: string[];
  raw: string;
  messageId: string;
  /** Whether it was accepted. */
  answered: boolean;
}

/** A real SMTP server in the test's process, which the test controls. */
export interface TestSmtp {
  url: string;
  port: number;
  /** Everything whose last line came, whether it was taken or not. */
  arrived: Arrived[];
  /** Those of which the sender heard that they were taken. */
  taken(): Arrived[];
  /** Resolves when somebody stands at this point and is held there. */
  untilHeld(point: Point): Promise<void>;
  /** What it says there from now on. */
  say(point: Point, what: Say): void;
  /** Says what it held back: yes. */
  release(): void;
  /** Goes away, cutting all off, and comes back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface SmtpOptions {
  /** Whom it asks to log in, over TLS alone. */
  login?: { user: string; pass: string };
  /** TLS from the start. */
  secure?: boolean;
}

/** Starts one; it ends with the test. */
export async function startSmtp(options: SmtpOptions = {}): Promise<TestSmtp> {
  const smtp = await openSmtp(options);
  onTestFinished(smtp.stop);
  return smtp;
}

/** Starts one that its opener stops. */
export async function openSmtp(options: SmtpOptions = {}): Promise<TestSmtp> {
  const { login, secure = false } = options;
  const answers: Record<Point, Say> = { GREETING: 'OK', MAIL: 'OK', RCPT: 'OK', DATA: 'OK' };
  const arrived: Arrived[] = [];
  const held: (() => void)[] = [];
  const waiting = new Map<Point, () => void>();
  const isHeld = new Set<Point>();
  let server: SMTPServer | undefined;
  let port = 0;

  function cut(): void {
    const { connections } = server as unknown as { connections: Set<{ _socket: Socket }> };
    for (const connection of connections) connection._socket.destroy();
  }

  function at(point: Point, done: (error?: Error | null) => void): void {
    const answer = answers[point];
    if (answer === 'OK') {
      done();
    } else if (answer === 'DROP') {
      cut();
      done(new Error('dropped'));
    } else if (answer === 'HOLD') {
      isHeld.add(point);
      waiting.get(point)?.();
      held.push(() => done());
    } else {
      done(Object.assign(new Error(answer.text), { responseCode: answer.code }));
    }
  }
  const answer =
    (point: Point) =>
    (_given: unknown, _session: SMTPServerSession, callback: (error?: Error | null) => void): void =>
      at(point, callback);

  async function start(): Promise<void> {
    const started = new SMTPServer({
      secure,
      authOptional: login === undefined,
      // It has a certificate of its own that nobody signed.
      disabledCommands: login === undefined ? ['AUTH', 'STARTTLS'] : [],
      onAuth({ username, password }, _session, callback) {
        if (username === login?.user && password === login?.pass) callback(null, { user: username });
        else callback(new Error('who is that?'));
      },
      disableReverseLookup: true,
      onConnect: (_session, callback) => at('GREETING', callback),
      onMailFrom: answer('MAIL'),
      onRcptTo: answer('RCPT'),
      onData(stream, { envelope }, callback) {
        let raw = '';
        stream.setEncoding('utf8').on('data', (text: string) => (raw += text));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = envelope;
          const mail: Arrived = {
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map((to) => to.address),
            raw,
            messageId: /^message-id: (\S+)/im.exec(raw)?.[1] ?? '',
            answered: false,
          };
          arrived.push(mail);
          at('DATA', (error) => {
            mail.answered = error == null;
            callback(error);
          });
        });
      },
    });
    started.on('error', () => {});
    server = started;
    started.listen(port, '127.0.0.1');
    await once(started.server, 'listening');
    ({ port } = started.server.address() as AddressInfo);
  }

  async function stop(): Promise<void> {
    if (server === undefined) return;
    const closing = server;
    const closed = new Promise<void>((resolve) => {
      closing.close(() => resolve());
    });
    cut();
    server = undefined;
    await closed;
  }

  await start();
  return {
    get url() {
      return `smtp://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    arrived,
    taken: () => arrived.filter((mail) => mail.answered),
    untilHeld: (point) =>
      new Promise((resolve) => {
        if (isHeld.has(point)) resolve();
        else waiting.set(point, resolve);
      }),
    say(point, what) {
      answers[point] = what;
      isHeld.delete(point);
    },
    release() {
      for (const go of held.splice(0)) go();
    },
    stop,
    start,
  };
}

import { connect, type Socket } from 'node:net';

/** An answer as it came. */
export interface Answer {
  status: number;
  body: string;
}

/**
 * One keep-alive connection that sends one request after the other. It does little more than write and split bytes: callers share
 * the machine with what they measure, and a complete HTTP client would take most of it.
 */
export class Caller {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Connects to the origin of this address. */
  static async open(url: string): Promise<Caller> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port) });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Caller(socket, host);
  }

  /** Sends JSON to `/graphql`. One request at a time. */
  post(body: string, headers = ''): Promise<Answer> {
    return this.#send('/graphql', 'application/json', body, headers);
  }

  /** Sends a form, as a browser does. */
  submit(path: string, fields: Record<string, string>): Promise<Answer> {
    return this.#send(path, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString(), '');
  }

  #send(path: string, type: string, body: string, headers: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.#socket.writable) {
        reject(new Error('the connection is closed'));
        return;
      }
      this.#waiting = { resolve, reject };
      this.#socket.write(
        `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: ${type}\r\naccept: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const rest = this.#received.subarray(headEnd + 4);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const body =
      length === undefined ? unchunk(rest) : rest.length < Number(length) ? null : rest.subarray(0, Number(length));
    if (body === null) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body: body.toString('utf8') });
  }
}

/** The body of a chunked response; null while it is not whole. */
function unchunk(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const begin = lineEnd + 2;
    if (bytes.length < begin + size + 2) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(begin, begin + size));
    at = begin + size + 2;
  }
}

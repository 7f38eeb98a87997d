import { CloseCode, type Context as ProtocolContext, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../infra/logger.ts';
import type { CredentialHeaders } from './create-context.ts';

/*
 * What a node keeps of a socket while nothing happens: one small object, with its functions on the class. What it keeps of a
 * subscription that is shared is in socket-operation.ts, and as small.
 */

/** What graphql-ws knows of a socket. */
export type SocketContext = ProtocolContext<Record<string, unknown>, SocketConnection>;

const INIT_WITHIN_MS = 5_000;
/** What a client may leave unread; each subscription waits for its own last message, so little suffices. */
const MAX_UNSENT_BYTES = 8_000_000;
/** Beyond this a subscriber is lagging. */
const MAX_LAG_BYTES = 1_000_000;
/** Below this there is room for who catches up. */
const ROOM_BYTES = 64_000;

/** What all sockets of a process have in common. */
export interface SocketHost {
  readonly logger: Logger;
  /** Shared subscriptions on sockets. */
  running: number;
  /** Told of what ended one of them before its time. */
  failed(error: unknown): void;
  /** Told once of each socket that is closed. */
  gone(connection: SocketConnection): void;
}

/** A socket, for graphql-ws, and what its operations have in common. */
export class SocketConnection {
  readonly #socket: WebSocket;
  readonly host: SocketHost;
  /** Of the request that became the socket. */
  readonly requestId: string;
  readonly clientAddress: string;
  readonly headers: CredentialHeaders;
  #take: ((data: string) => Promise<void>) | undefined;
  #closed: ((code: number, reason: string) => Promise<void>) | undefined;
  /** While it has not begun the conversation. */
  #waiting: NodeJS.Timeout | undefined;
  /** What has to be let go of with the socket, or at once where it is closed. */
  #release: (() => void) | undefined;
  #isClosed = false;

  constructor(
    socket: WebSocket,
    host: SocketHost,
    of: { id: string; clientAddress: string; headers: CredentialHeaders },
  ) {
    this.#socket = socket;
    this.host = host;
    this.requestId = of.id;
    this.clientAddress = of.clientAddress;
    this.headers = of.headers;
  }

  /** Has the protocol spoken over it. */
  begin(protocol: Server<SocketConnection>): void {
    this.#closed = protocol.opened(this, this);
    this.#waiting = setTimeout(giveUp, INIT_WITHIN_MS, this);
  }

  /** The client has begun the conversation. */
  begun(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  get logger(): Logger {
    return this.host.logger.child({ requestId: this.requestId });
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  onMessage(take: (data: string) => Promise<void>): void {
    this.#take = take;
  }

  /** Takes a message of the client's. */
  async receive(data: string): Promise<void> {
    // Who is told to go has nothing more to ask, although its messages may be on their way still.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      await this.#take?.(data);
    } catch (error) {
      this.broke(error);
    }
  }

  /** Closes it after a fault of ours. */
  broke(error: unknown): void {
    this.logger.error({ err: error }, 'unexpected error on a websocket');
    this.close(CloseCode.InternalServerError, 'Internal server error');
  }

  /** Resolves once the message has left the process, so that a slow reader slows its own subscriptions down. */
  send(data: string): Promise<void> {
    const socket = this.#socket;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    return new Promise((resolve) => {
      // A failure to send is the end of the socket, which its `close` tells.
      if (socket.readyState === socket.OPEN) socket.send(data, () => resolve());
      else resolve();
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** The socket is closed. */
  gone(code: number, reason: string): void {
    this.#isClosed = true;
    this.begun();
    this.host.gone(this);
    this.#release?.();
    this.logger.info({ code }, 'websocket closed');
    this.#closed?.(code, reason).catch((error: unknown) =>
      this.logger.error({ err: error }, 'websocket did not end well'),
    );
  }

  /** Has something let go of when the socket is closed. */
  onGone(release: () => void): void {
    if (this.#isClosed) release();
    else this.#release = release;
  }

  /** Puts a ready result on the socket, as graphql-ws would. False where the client has left too much unread. */
  pushNext(quotedId: string, payload: string): boolean {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return true; // its `close` ends the subscription
    if (socket.bufferedAmount > MAX_LAG_BYTES) return false;
    socket.send(`{"id":${quotedId},"type":"next","payload":${payload}}`);
    return true;
  }

  /** Resolves when there is room for who catches up. */
  room(): Promise<void> {
    const socket = this.#socket;
    return socket.bufferedAmount < ROOM_BYTES || socket.readyState !== socket.OPEN
      ? Promise.resolve()
      : new Promise((resolve) => {
          // An empty frame that goes out after all that waits; readers of the protocol never see it.
          socket.ping('', false, () => resolve());
        });
  }
}

function giveUp(connection: SocketConnection): void {
  connection.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
}

import { CloseCode, MessageType, type Context as ProtocolContext, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../infra/logger.ts';
import type { CredentialHeaders } from './create-context.ts';
import { formatError, maskError } from './mask.ts';
import type { Membership, Sink, SocketSink } from './sink.ts';
import { asRequestError } from './subscribe.ts';

/*
 * What a node keeps of a socket and of a subscription that is shared, while nothing happens: one small object each, with its
 * functions on the class.
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
    try {
      await this.#take?.(data);
    } catch (error) {
      this.logger.error({ err: error }, 'unexpected error on a websocket');
      this.close(CloseCode.InternalServerError, 'Internal server error');
    }
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

/**
 * An operation on a socket. It stands in graphql-ws's books from its start, and, where it is a subscription that is shared, to
 * its end, in place of the generator that would be there: who is asked to return there leaves, whether the client said so or
 * its socket was closed.
 */
export class SocketOperation implements SocketSink {
  readonly #context: SocketContext;
  readonly #id: string;
  /** As it stands in each frame. */
  readonly #quotedId: string;
  #membership: Membership | undefined;
  #left = false;
  /** Whether graphql-ws has nothing to do with it any more. */
  isTakenOver = false;

  constructor(context: SocketContext, id: string) {
    this.#context = context;
    this.#id = id;
    this.#quotedId = JSON.stringify(id);
    context.subscriptions[id] = this;
  }

  takeOver(join: (sink: Sink) => Membership): void {
    this.isTakenOver = true;
    // The client may have left meanwhile.
    if (this.#left) return;
    this.#context.extra.host.running += 1;
    this.#membership = join(this);
  }

  push(payload: string): boolean {
    return this.#context.extra.pushNext(this.#quotedId, payload);
  }

  room(): Promise<void> {
    return this.#context.extra.room();
  }

  fail(error: Error): void {
    const { subscriptions, extra } = this.#context;
    this.#leave();
    delete subscriptions[this.#id];
    extra.host.failed(error);
    const payload = [formatError(maskError(asRequestError(error), extra))];
    void extra.send(JSON.stringify({ id: this.#id, type: MessageType.Error, payload }));
  }

  #leave(): void {
    this.#left = true;
    if (this.#membership === undefined) return;
    this.#membership.leave();
    this.#membership = undefined;
    this.#context.extra.host.running -= 1;
  }

  return(): Promise<IteratorResult<never, undefined>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Nobody asks: the events go past graphql-ws. */
  next(): Promise<IteratorResult<never, undefined>> {
    return this.return();
  }

  throw(): Promise<IteratorResult<never, undefined>> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

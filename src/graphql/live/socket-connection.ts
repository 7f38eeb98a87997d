import type { Duplex } from 'node:stream';
import { CloseCode, type Context as ProtocolContext, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { isDatabaseTrouble } from '../../infra/postgres/database-faults.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Turn } from '../../infra/limits/keyed-semaphore.ts';
import { parseClientMessage } from './client-message.ts';
import type { OpeningHeaders } from '../context/authentication.ts';
import { MessageCredit } from './message-credit.ts';
import { nextFrame } from './next-frame.ts';
import type { SocketHost } from './socket-host.ts';

/*
 * What a node keeps of a socket while nothing happens: one small object, with its functions on the class. What it keeps of a
 * subscription that is shared is in socket-operation.ts, and as small.
 */

/** What graphql-ws knows of a socket. */
export type SocketContext = ProtocolContext<Record<string, unknown>, SocketConnection>;

/** Of WebSocket's own codes; clients of graphql-ws come back after it. */
export const TRY_AGAIN_LATER = 1013;

const INIT_WITHIN_MS = 5_000;
/** Memory that a client's unread messages may take. A socket that exceeds it is cut off. */
const MAX_UNSENT_BYTES = 1_000_000;
/** Beyond this a subscriber lags. Below the maximum, so that the socket can still carry the error that says so. */
const MAX_LAG_BYTES = 750_000;
/** Below this there is room for a subscriber that catches up. */
const ROOM_BYTES = 64_000;
/** Heap that a waiting frame takes besides its bytes: buffers, the callback, the entry in the socket's queue. */
const FRAME_OVERHEAD_BYTES = 1_200;
/** Policy violation. Clients of graphql-ws do not reconnect after it. */
const TOO_MANY_MESSAGES = 1008;

let sockets = 0;

/** A socket, for graphql-ws, and what its operations have in common. */
export class SocketConnection {
  readonly #socket: WebSocket;
  /** What the socket writes to. */
  readonly #stream: Duplex;
  /** Names the socket among those of the process. */
  readonly #key = String((sockets += 1));
  readonly host: SocketHost;
  /** Of the request that became the socket. */
  readonly requestId: string;
  readonly clientAddress: string;
  readonly headers: OpeningHeaders;
  /** The time of its access token is over. */
  isExpired = false;
  #take: ((message: never) => Promise<void>) | undefined;
  #closed: ((code: number, reason: string) => Promise<void>) | undefined;
  /** While it has not begun the conversation. */
  #waiting: NodeJS.Timeout | undefined;
  /** What has to be let go of with the socket, or at once where it is closed. */
  #release: (() => void) | undefined;
  #isClosed = false;
  /** Frames that were sent while earlier ones were unsent, and have not left the process. */
  #waitingFrames = 0;
  /** Frames that were written since `cork()`; null where each is sent at once. */
  #corkedFrames: number | null = null;
  /** Data of the latest ping, to be answered once the socket has sent what waits. */
  #unansweredPing: Buffer | undefined;
  /** Messages that the client may still send; null: as many as it likes. */
  readonly #credit: MessageCredit | null;

  constructor(
    socket: WebSocket,
    stream: Duplex,
    host: SocketHost,
    of: { id: string; clientAddress: string; headers: OpeningHeaders },
  ) {
    this.#socket = socket;
    this.#stream = stream;
    this.host = host;
    this.requestId = of.id;
    this.clientAddress = of.clientAddress;
    this.headers = of.headers;
    this.#credit = host.messagesPerMinute === null ? null : new MessageCredit(host.messagesPerMinute);
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

  /** graphql-ws also takes a message that is parsed already, although its types do not say so. */
  onMessage(take: (data: string) => Promise<void>): void {
    this.#take = take;
  }

  /** Handles a message of the client. */
  async receive(data: string): Promise<void> {
    // Messages may still arrive after the socket was closed.
    if (!this.isOpen || !this.count()) return;
    const message = parseClientMessage(data);
    if (message === null) {
      this.close(CloseCode.BadRequest, 'Invalid message received');
      return;
    }
    try {
      await this.#take?.(message as never);
    } catch (error) {
      this.broke(error);
    }
  }

  /**
   * Answers a WebSocket ping. While messages wait to be sent only the latest ping is remembered, as RFC 6455 allows: pongs
   * that nobody reads must not pile up.
   */
  receivePing(data: Buffer): void {
    if (!this.isOpen || !this.count()) return;
    if (this.#socket.bufferedAmount > 0) this.#unansweredPing = Buffer.from(data);
    else this.#pong(data);
  }

  /** Counts a frame of the client. False where it has sent too many: the socket is closed. */
  count(): boolean {
    if (this.#credit === null || this.#credit.take()) return true;
    this.close(TOO_MANY_MESSAGES, 'Too many messages');
    return false;
  }

  /** Whether messages wait to be sent, and nothing is read from the client meanwhile. */
  get isHeldBack(): boolean {
    return this.#socket.isPaused;
  }

  // `ws` reports a destroyed connection as open until the event loop turns. Code that waits for room would keep the loop from turning.
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && !this.#stream.destroyed;
  }

  /** A place among the queries of this socket that are executed. Null where too many wait. */
  queryTurn(): Turn | null {
    return this.host.turns.enter(this.#key);
  }

  /** Closes it after a fault of ours. */
  broke(error: unknown): void {
    if (isDatabaseTrouble(error)) {
      this.logger.warn({ err: error }, 'closed a WebSocket because the database is unavailable');
      // Clients come back after this code; after 4500 they give up for good.
      this.close(TRY_AGAIN_LATER, 'Try again later');
      return;
    }
    this.logger.error({ err: error }, 'unexpected error on a WebSocket');
    this.close(CloseCode.InternalServerError, 'Internal server error');
  }

  /** Resolves once the message has left the process, so that a slow reader slows its own subscriptions down. */
  send(data: string): Promise<void> {
    if (this.#unsentBytes() > MAX_UNSENT_BYTES) this.#socket.terminate();
    return new Promise((resolve) => {
      // A failure to send is the end of the socket, which its `close` event reports.
      if (!this.isOpen) resolve();
      else {
        this.#socket.send(data, this.#counted(resolve));
        this.#holdBack();
      }
    });
  }

  /** Memory that unsent messages take, about. */
  #unsentBytes(): number {
    const bytes = this.#socket.bufferedAmount;
    return bytes === 0 ? 0 : bytes + this.#waitingFrames * FRAME_OVERHEAD_BYTES;
  }

  /** Has what is pushed from here to `uncork()` sent with one system call, as long as it is not much. */
  cork(): void {
    if (this.#corkedFrames !== null || !this.isOpen) return;
    this.#corkedFrames = 0;
    this.#stream.cork();
  }

  uncork(): void {
    const frames = this.#corkedFrames;
    if (frames === null) return;
    this.#corkedFrames = null;
    this.#stream.uncork();
    if (this.#socket.bufferedAmount === 0 || !this.isOpen) return;
    this.#waitingFrames += frames;
    this.#holdBack();
    this.#afterUnsent(() => {
      this.#waitingFrames -= frames;
    });
  }

  #pong(data: Buffer): void {
    this.#socket.pong(data);
    this.#holdBack();
  }

  /** Reads nothing from a client that does not read either, until all that waits has been sent. */
  #holdBack(): void {
    const socket = this.#socket;
    if (socket.bufferedAmount === 0 || socket.isPaused || !this.isOpen) return;
    socket.pause();
    this.#afterUnsent(() => this.#goOn());
  }

  #goOn(): void {
    const socket = this.#socket;
    if (!this.isOpen) return;
    socket.resume();
    const ping = this.#unansweredPing;
    this.#unansweredPing = undefined;
    if (ping !== undefined) this.#pong(ping);
    else this.#holdBack();
  }

  /** Calls back once what waits now has been sent: an unsolicited pong goes out after it, which clients ignore. */
  #afterUnsent(callback: () => void): void {
    this.#socket.pong('', false, callback);
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
    this.logger.info({ code }, 'WebSocket closed');
    this.#closed?.(code, reason).catch((error: unknown) =>
      this.logger.error({ err: error }, 'closing a WebSocket failed'),
    );
  }

  /** Has something let go of when the socket is closed. */
  onGone(release: () => void): void {
    if (this.#isClosed) release();
    else this.#release = release;
  }

  /** Puts a ready result on the socket, as graphql-ws would. False where the client has left too much unread. */
  pushNext(quotedId: string, payload: Buffer): boolean {
    const socket = this.#socket;
    if (!this.isOpen) return true; // its `close` ends the subscription
    // What is corked has not been tried to send: it must not count as what the client has left unread.
    if (this.#corkedFrames !== null && socket.bufferedAmount > ROOM_BYTES) this.uncork();
    if (this.#unsentBytes() > MAX_LAG_BYTES) return false;
    const frame = nextFrame(quotedId, payload);
    if (this.#corkedFrames === null) {
      this.#stream.write(frame, socket.bufferedAmount === 0 ? undefined : this.#counted());
      this.#holdBack();
    } else {
      this.#corkedFrames += 1;
      this.#stream.write(frame);
    }
    return true;
  }

  /** Counts a frame that waits until it is sent. @returns what to call then */
  #counted(sent?: () => void): () => void {
    this.#waitingFrames += 1;
    return () => {
      this.#waitingFrames -= 1;
      sent?.();
    };
  }

  /** Resolves when there is room for who catches up. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise((resolve) => this.#afterUnsent(resolve));
  }

  /** Also where the socket is closed: nothing is to be waited for. */
  get hasRoom(): boolean {
    if (!this.isOpen) return true;
    // Many small frames take more memory than their bytes.
    return this.#socket.bufferedAmount < ROOM_BYTES && this.#unsentBytes() < MAX_LAG_BYTES / 2;
  }
}

function giveUp(connection: SocketConnection): void {
  connection.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
}

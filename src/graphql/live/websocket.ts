import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { createKeyedQueue } from '../../infra/limits/keyed-semaphore.ts';
import type { RequestScope } from '../context/create-context.ts';
import type { OpeningHeaders } from '../context/authentication.ts';
import { SocketConnection } from './socket-connection.ts';
import type { SocketHost } from './socket-host.ts';
import { createSocketProtocol, MAX_OPERATIONS, type SocketEngine } from './socket-protocol.ts';
import type { Refused } from '../limits/connection-limits.ts';

/** GraphQL over WebSocket (graphql-transport-ws). */
export interface WebSockets {
  /** Takes over a connection that may become a socket. @returns null, or the reason for a rejection, which the caller sends */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, scope: RequestScope): Refused | null;
  /** Number of shared subscriptions on sockets, which are counted nowhere else. */
  subscriptions(): number;
  /** Closes all sockets with 1001, and waits until they are gone. */
  dispose(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 100_000;
/** Pieces of one message: as frames, and as they come from the network. Each takes memory besides its bytes. */
const MAX_FRAGMENTS = 100;
const MAX_CHUNKS = 1_000;
/** Queries of one socket at a time. */
const QUERIES_AT_A_TIME = 4;
const PING_MS = 12_000;
/** A client that does not answer our closing is cut off. */
const CLOSE_WITHIN_MS = 1_000;
const GOING_AWAY = 1001;

/** A socket and what the shop knows of it, so that no listener has to keep anything. */
class ShopSocket extends WebSocket {
  /** Whether it has answered since the last ping. */
  answers = true;
  connection: SocketConnection | null = null;
}

// One of each for all sockets: there may be many of these, and most of them only wait.
function hear(this: WebSocket, data: RawData): void {
  // A single buffer, which is the default of `ws`.
  void (this as ShopSocket).connection?.receive((data as Buffer).toString());
}

function hearPing(this: WebSocket, data: Buffer): void {
  (this as ShopSocket).connection?.receivePing(data);
}

function hearPong(this: WebSocket): void {
  const { connection } = this as ShopSocket;
  (this as ShopSocket).answers = true;
  connection?.count();
}

/** A frame that is no WebSocket's, or too large: `ws` has closed it with the right code. */
function hearError(this: WebSocket, error: Error): void {
  (this as ShopSocket).connection?.logger.debug({ err: error }, 'WebSocket error');
}

function hearClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as ShopSocket).connection?.gone(code, reason.toString());
}

/** Opens for sockets; which requests get here is the HTTP side's to say. */
export function createWebSockets(engine: SocketEngine, { pingMs = PING_MS } = {}): WebSockets {
  const protocol = createSocketProtocol(engine);
  // Not written into the call: the types do not know `closeTimeout` yet.
  const settings = {
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    closeTimeout: CLOSE_WITHIN_MS,
    handleProtocols,
    WebSocket: ShopSocket,
    // What it would spare of the network, each socket would pay for in memory.
    perMessageDeflate: false,
    // The connection answers pings itself, so that pongs count among what is unsent.
    autoPong: false,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
  };
  const server = new WebSocketServer<typeof ShopSocket>(settings);
  const host: SocketHost = {
    logger: engine.logger,
    running: 0,
    failed: engine.failed,
    gone: ({ clientAddress }) => engine.throttle?.presence.leave(clientAddress),
    messagesPerMinute: engine.throttle?.presence.messagesBySocket ?? null,
    turns: createKeyedQueue({ atATime: QUERIES_AT_A_TIME, waiting: MAX_OPERATIONS }),
  };
  let disposal: Promise<void> | undefined;

  // A connection can be lost silently: a client that has not answered the last ping is considered gone.
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      // A pong could not be read; the HTTP server closes connections that make no progress.
      if (socket.connection?.isHeldBack === true) continue;
      if (socket.answers) {
        socket.answers = false;
        socket.ping();
      } else {
        socket.terminate();
      }
    }
  }, pingMs);

  // `ws` gives the headers of its answer away in an event; the requests that are answered now are found here.
  const offers = new WeakMap<IncomingMessage, string>();
  server.on('headers', (headers, req) => {
    const setCookie = offers.get(req);
    if (setCookie !== undefined) headers.push(`Set-Cookie: ${setCookie}`);
  });

  function serve(socket: ShopSocket, stream: Duplex, headers: OpeningHeaders, scope: RequestScope): void {
    // As little of the request as possible: it would be kept for as long as the socket.
    const { id, clientAddress } = scope;
    const connection = new SocketConnection(socket, stream, host, { id, clientAddress, headers });
    socket.connection = connection;
    socket.on('message', hear).on('ping', hearPing).on('pong', hearPong).on('error', hearError).on('close', hearClose);
    connection.begin(protocol);
  }

  return {
    upgrade(req, socket, head, scope) {
      if (disposal !== undefined) {
        socket.destroy();
        return null;
      }
      const refused = engine.throttle?.presence.enter(scope) ?? null;
      if (refused !== null) return refused;
      const offer = engine.authentication.offerFor(req);
      if (offer !== null) offers.set(req, offer.setCookie);
      let served = false;
      server.handleUpgrade(req, socket, head, (webSocket) => {
        served = true;
        serve(webSocket, socket, offer?.headers ?? engine.authentication.openingHeadersOf(req), scope);
      });
      // `ws` calls back synchronously. If it has not, it has rejected an invalid upgrade.
      if (!served) engine.throttle?.presence.leave(scope.clientAddress);
      return null;
    },
    subscriptions: () => host.running,
    dispose: () =>
      (disposal ??= new Promise((resolve) => {
        clearInterval(pings);
        for (const socket of server.clients) socket.close(GOING_AWAY, 'Going away');
        server.close(() => resolve());
      })),
  };
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols } from 'graphql-ws';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { RequestScope } from './create-context.ts';
import type { Sink } from './sink.ts';
import { createSocketProtocol, type SocketEngine } from './socket-protocol.ts';

/** GraphQL over WebSocket (graphql-transport-ws). */
export interface WebSockets {
  /** Takes over a connection that may become a socket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, scope: RequestScope): void;
  /** Closes all sockets with 1001, and waits until they are gone. */
  dispose(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 100_000;
const PING_MS = 12_000;
/** A client that does not answer our closing is cut off. */
const CLOSE_WITHIN_MS = 1_000;
/** What a client may leave unread; each subscription waits for its own last message, so little suffices. */
const MAX_UNSENT_BYTES = 8_000_000;
/** Beyond this a subscriber is lagging. */
const MAX_LAG_BYTES = 1_000_000;
/** Below this there is room for who catches up. */
const ROOM_BYTES = 64_000;
const GOING_AWAY = 1001;

/** Opens for sockets; which requests get here is the HTTP side's to say. */
export function createWebSockets(engine: SocketEngine, { pingMs = PING_MS } = {}): WebSockets {
  const protocol = createSocketProtocol(engine);
  // Not written into the call: the types do not know `closeTimeout` yet.
  const settings = { noServer: true, maxPayload: MAX_MESSAGE_BYTES, closeTimeout: CLOSE_WITHIN_MS, handleProtocols };
  const server = new WebSocketServer(settings);
  const alive = new WeakSet<WebSocket>();
  let disposal: Promise<void> | undefined;

  // A connection can die without a word: who has not answered the last ping is gone.
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (alive.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }, pingMs);

  function serve(socket: WebSocket, request: IncomingMessage, scope: RequestScope): void {
    const { logger } = scope;
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    // A frame that is no WebSocket's, or too large: `ws` has closed it with the right code.
    socket.on('error', (error) => logger.debug({ err: error }, 'websocket error'));

    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) => socket.on('message', (data) => void receive(socket, data, take, scope)),
      },
      {
        request,
        scope,
        close: (code, reason) => socket.close(code, reason),
        sinkFor: (id) => createSink(socket, id),
      },
    );
    socket.once('close', (code, reason) => {
      logger.info({ code }, 'websocket closed');
      closed(code, reason.toString()).catch((error: unknown) =>
        logger.error({ err: error }, 'websocket did not end well'),
      );
    });
  }

  return {
    upgrade(req, socket, head, scope) {
      if (disposal !== undefined) {
        socket.destroy();
        return;
      }
      server.handleUpgrade(req, socket, head, (webSocket) => serve(webSocket, req, scope));
    },
    dispose: () =>
      (disposal ??= new Promise((resolve) => {
        clearInterval(pings);
        for (const socket of server.clients) socket.close(GOING_AWAY, 'Going away');
        server.close(() => resolve());
      })),
  };
}

async function receive(
  socket: WebSocket,
  data: RawData,
  take: (data: string) => Promise<void>,
  { logger }: RequestScope,
): Promise<void> {
  try {
    // In one piece, as `ws` gives it unless told otherwise.
    await take((data as Buffer).toString());
  } catch (error) {
    logger.error({ err: error }, 'unexpected error on a websocket');
    socket.close(CloseCode.InternalServerError, 'Internal server error');
  }
}

/** Puts ready results on the socket, as graphql-ws would: only the operation's id differs from those of others. */
function createSink(socket: WebSocket, id: string): Sink {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  return {
    push(payload) {
      if (socket.readyState !== socket.OPEN) return true; // its `close` ends the subscription
      if (socket.bufferedAmount > MAX_LAG_BYTES) return false;
      socket.send(`${head}${payload}}`);
      return true;
    },
    room: () =>
      socket.bufferedAmount < ROOM_BYTES || socket.readyState !== socket.OPEN
        ? Promise.resolve()
        : new Promise((resolve) => {
            // An empty frame that goes out after all that waits; readers of the protocol never see it.
            socket.ping('', false, () => resolve());
          }),
  };
}

/** Resolves once the message has left the process, so that a slow reader slows its own subscriptions down. */
function send(socket: WebSocket, data: string): Promise<void> {
  if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
  return new Promise((resolve) => {
    // A failure to send is the end of the socket, which its `close` tells.
    if (socket.readyState === socket.OPEN) socket.send(data, () => resolve());
    else resolve();
  });
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/*
 * Node's own `server.close()` leaves alone what is not idle by its books: a connection that has not sent a request yet (as
 * browsers open them in advance), and one that is answered later on and then kept alive. Either would hold up the stop. So
 * we count requests by connection ourselves.
 *
 * When a connection closes, Node.js 20 and 22 emit "close" on the response that is being sent, and not on those that wait behind it,
 * which belong to pipelined requests. Whatever is kept until a response closes would be kept for good. So the event is emitted here.
 */

/** Connections of a server and the requests in progress on them. */
export interface Connections {
  /** Counts a request until it is answered. Its response closes together with its connection at the latest. */
  began(req: IncomingMessage, res: ServerResponse): void;
  /** Whether a request of the connection is not answered yet. */
  isBusy(socket: Socket): boolean;
  /** The connection belongs to someone else from now on: it was upgraded. */
  handedOver(socket: Socket): void;
  /** From now on each answer asks its client to come back over another connection, which a balancer may lead elsewhere. */
  drain(): void;
  /**
   * Accepts no new connections, closes idle ones, and waits for requests in progress.
   * @param graceMs then whatever is left is cut off
   */
  close(graceMs: number): Promise<void>;
}

/** Begins to keep count. */
export function trackConnections(server: Server): Connections {
  const inFlight = new Map<Socket, Set<ServerResponse>>();
  let closing = false;
  let draining = false;

  server.on('connection', (socket) => {
    // A connection whose offer of an upgrade is ignored comes twice.
    if (inFlight.has(socket)) return;
    inFlight.set(socket, new Set());
    socket.on('close', forget);
  });

  function forget(this: Socket): void {
    const responses = inFlight.get(this) ?? new Set();
    inFlight.delete(this);
    closeAll(responses);
  }

  function endIfIdle(socket: Socket): void {
    if (inFlight.get(socket)?.size === 0) socket.destroySoon();
  }

  return {
    began({ socket }, res) {
      inFlight.get(socket)?.add(res);
      if (closing || draining) res.setHeader('connection', 'close');
      res.once('close', () => {
        inFlight.get(socket)?.delete(res);
        if (closing) endIfIdle(socket);
      });
    },
    isBusy: (socket) => (inFlight.get(socket)?.size ?? 0) > 0,
    handedOver(socket) {
      inFlight.delete(socket);
      socket.off('close', forget);
    },
    drain() {
      draining = true;
    },
    async close(graceMs) {
      if (closing || !server.listening) return;
      closing = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      // What has arrived but was not read yet is still taken: one turn of the loop reads it.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      for (const [socket, responses] of inFlight) {
        for (const res of responses) if (!res.headersSent) res.setHeader('connection', 'close');
        endIfIdle(socket);
      }
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

/** Closes responses whose connection has closed, as Node does with the one that is being sent. */
function closeAll(responses: ReadonlySet<ServerResponse>): void {
  // After Node's own turn.
  process.nextTick(() => {
    for (const res of responses) {
      if (res.closed) continue;
      Object.assign(res, { destroyed: true, _closed: true });
      res.emit('close');
    }
  });
}

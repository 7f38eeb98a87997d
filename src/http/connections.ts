import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/*
 * Node's own `server.close()` leaves alone what is not idle by its books: a connection that has not sent a request yet (as
 * browsers open them in advance), and one that is answered later on and then kept alive. Either would hold up the stop. So
 * we count requests by connection ourselves.
 */

/** Connections of a server and the requests in progress on them. */
export interface Connections {
  /** Counts a request until it is answered. */
  began(req: IncomingMessage, res: ServerResponse): void;
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
    inFlight.set(socket, new Set());
    socket.on('close', forget);
  });

  function forget(this: Socket): void {
    inFlight.delete(this);
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

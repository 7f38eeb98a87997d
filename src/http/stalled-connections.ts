import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/*
 * An answer that its client does not read stays in memory for as long as the connection. Node's own time-outs do not help:
 * they end with the request's last byte, and `socket.setTimeout` restarts with each byte that the client sends.
 */

/** The clock of the watch, for tests. */
export interface StallClock {
  /** The time in milliseconds, from any origin. */
  now: () => number;
  /** Between two looks. */
  everyMs: number;
}

export const STALL_CLOCK: StallClock = { now: () => performance.now(), everyMs: 5_000 };

/** A connection that has something to send must get rid of so many bytes, or of all, within this time. */
const STALL_MS = 30_000;
const LEAST_BYTES = 16_000;

/** Watches the connections of a server. */
export interface StalledConnections {
  /** Bytes that wait to be sent, over all connections. */
  unsentBytes(): number;
  stop(): void;
}

/** Closes connections, upgraded ones too, that have data to send and make no progress with it. */
export function closeStalledConnections(server: Server, { now, everyMs }: StallClock): StalledConnections {
  const sockets = new Set<Socket>();
  /** Those with unsent data: how much had left at the last progress, and when that was. */
  const waiting = new Map<Socket, { left: number; since: number }>();

  function forget(this: Socket): void {
    sockets.delete(this);
    waiting.delete(this);
  }

  server.on('connection', (socket) => {
    // A connection whose offer of an upgrade is ignored comes twice.
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.on('close', forget);
  });

  function look(): void {
    const time = now();
    for (const socket of sockets) {
      if (socket.writableLength === 0) {
        waiting.delete(socket);
        continue;
      }
      const left = bytesLeft(socket);
      const before = waiting.get(socket);
      if (before === undefined || left - before.left >= LEAST_BYTES) waiting.set(socket, { left, since: time });
      else if (time - before.since >= STALL_MS) socket.resetAndDestroy();
    }
  }

  const timer = setInterval(look, everyMs);
  return {
    unsentBytes: () => [...sockets].reduce((sum, { writableLength }) => sum + writableLength, 0),
    stop: () => clearInterval(timer),
  };
}

/** Bytes that have left the process. `bytesWritten` counts those that wait in libuv, too; Node's own time-outs look there as well. */
function bytesLeft(socket: Socket): number {
  const { _handle: handle } = socket as Socket & {
    _handle?: { bytesWritten?: number; writeQueueSize?: number } | null;
  };
  return (handle?.bytesWritten ?? socket.bytesWritten) - (handle?.writeQueueSize ?? 0);
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createNetworkSemaphore } from '../infra/limits/network-semaphore.ts';
import { networksAround } from '../infra/limits/networks.ts';
import { clientAddress } from './client-address.ts';

/** What one network may have of a node at the same time. The networks around a /64 have some times as much: see networks.ts. */
export const CLIENT_LIMITS = {
  /** Connections, idle ones and sockets too. Behind a proxy they are the proxy's, and not counted. */
  connections: 1_000,
  /** Answers that are being made or sent, but for streams of events, which have places of their own. */
  answers: 100,
  /** Bytes of answers that wait to be read. */
  unsentBytes: 32_000_000,
} as const;

export type ClientLimits = Readonly<Record<keyof typeof CLIENT_LIMITS, number>>;

/** Below this an answer is not worth counting. */
const SMALL_BYTES = 16_000;

/** Keeps a client from filling the memory with answers that it does not read. */
export interface AnswerLimits {
  /**
   * Takes a place for an answer, which is free again once the answer is sent or its connection closed.
   * @returns what gives the place back before, for a stream of events; null where the client has too many
   */
  begin(client: string, req: IncomingMessage, res: ServerResponse): (() => void) | null;
}

/** Counts answers by client. */
export function createAnswerLimits({ answers, unsentBytes }: ClientLimits): AnswerLimits {
  const seats = createNetworkSemaphore(answers);
  const unsent = new Map<string, number>();

  /** Drops the answer instead of keeping it where the client has left too much unread already. */
  function hold(client: string, res: ServerResponse, socket: Socket): void {
    const size = res.writableLength;
    if (size < SMALL_BYTES) return;
    const all = networksAround(client).map((around) => ({ ...around, before: unsent.get(around.network) ?? 0 }));
    if (all.some(({ before, times }) => before > 0 && before + size > unsentBytes * times)) {
      // Not closed properly: what the kernel holds of it goes, too.
      socket.resetAndDestroy();
      return;
    }
    for (const { network, before } of all) unsent.set(network, before + size);
    res.once('close', () => {
      for (const { network } of all) {
        const left = (unsent.get(network) ?? 0) - size;
        if (left > 0) unsent.set(network, left);
        else unsent.delete(network);
      }
    });
  }

  return {
    begin(client, { socket }, res) {
      if (!seats.take(client)) return null;
      let taken = true;
      const giveBack = () => {
        if (taken) seats.leave(client);
        taken = false;
      };
      res.once('prefinish', () => hold(client, res, socket));
      res.once('close', giveBack);
      return giveBack;
    },
  };
}

/** Closes connections of a network that has too many. */
export function limitConnections(server: Server, { connections }: ClientLimits): void {
  const seats = createNetworkSemaphore(connections);
  const taken = new WeakSet<Socket>();
  server.on('connection', (socket) => {
    // A connection whose offer of an upgrade is ignored comes twice.
    if (taken.has(socket)) return;
    const network = clientAddress({ headers: {}, socket }, 0);
    if (!seats.take(network)) {
      socket.destroy();
      return;
    }
    taken.add(socket);
    socket.once('close', () => seats.leave(network));
  });
}

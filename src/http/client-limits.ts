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

  /** Adds to what a client has left unread, on each network around it. */
  function add(client: string, bytes: number): void {
    for (const { network } of networksAround(client)) {
      const all = (unsent.get(network) ?? 0) + bytes;
      if (all > 0) unsent.set(network, all);
      else unsent.delete(network);
    }
  }

  /**
   * Counts the unsent bytes of an answer, from its first write until it is sent or its connection closes. If the client leaves too
   * many bytes of other answers unread, the connection is reset, which drops the answer.
   * @returns a function that takes the answer out of the count, to be called when it closes
   */
  function watch(client: string, res: ServerResponse, socket: Socket): () => void {
    let counted = 0;

    function count(): void {
      const size = res.destroyed || res.writableLength < SMALL_BYTES ? 0 : res.writableLength;
      const isTooMuch = ({ network, times }: { network: string; times: number }) => {
        const others = (unsent.get(network) ?? 0) - counted;
        return others > 0 && others + size > unsentBytes * times;
      };
      if (size > counted && networksAround(client).some(isTooMuch)) {
        // Not closed properly: what the kernel holds of it goes, too.
        socket.resetAndDestroy();
        return;
      }
      add(client, size - counted);
      counted = size;
    }

    // Counting at the end alone is not enough: the code that writes an answer may wait for "drain" before it ends one.
    const write = res.write.bind(res) as (...given: unknown[]) => boolean;
    const end = res.end.bind(res) as (...given: unknown[]) => ServerResponse;
    res.write = (...given: unknown[]) => {
      const goesOn = write(...given);
      // Node passes the bytes on to the kernel after the current step. What the kernel does not take is known then.
      if (!goesOn) process.nextTick(count);
      return goesOn;
    };
    res.end = (...given: unknown[]) => {
      end(...given);
      if (res.writableLength >= SMALL_BYTES) count();
      return res;
    };
    res.on('drain', count);
    return () => {
      add(client, -counted);
      counted = 0;
    };
  }

  return {
    begin(client, { socket }, res) {
      if (!seats.take(client)) return null;
      let taken = true;
      const giveBack = () => {
        if (taken) seats.leave(client);
        taken = false;
      };
      const forgetUnsent = watch(client, res, socket);
      res.once('close', () => {
        forgetUnsent();
        giveBack();
      });
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

import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { SocketConnection } from '../../src/graphql/live/socket-connection.ts';
import type { SocketHost } from '../../src/graphql/live/socket-host.ts';

/** A socket whose client reads nothing: all that is written waits. */
function openConnection(): SocketConnection {
  let waiting = 0;
  const socket = {
    OPEN: 1,
    readyState: 1,
    isPaused: false,
    get bufferedAmount() {
      return waiting;
    },
    pause() {
      this.isPaused = true;
    },
    pong: () => {},
  };
  const stream = {
    write(frame: Buffer) {
      waiting += frame.length;
    },
    cork: () => {},
    uncork: () => {},
  };
  const of = { id: 'r', clientAddress: '192.0.2.1', headers: {} as never };
  const host = { messagesPerMinute: null } as SocketHost;
  return new SocketConnection(socket as unknown as WebSocket, stream as unknown as Duplex, host, of);
}

test.each([1, 100])('what there is room for is taken, also many small frames, %i at a time', (together) => {
  const connection = openConnection();
  const payload = Buffer.from('{"data":{"stockChanged":{"available":1}}}');
  let taken = 0;
  while (connection.hasRoom) {
    connection.cork();
    for (let i = 0; i < together && connection.hasRoom; i += 1) {
      expect(connection.pushNext('"1"', payload)).toBe(true);
      taken += 1;
    }
    connection.uncork();
  }
  expect(taken).toBeGreaterThan(100);
  // There is still some left for events that are live.
  expect(connection.pushNext('"2"', payload)).toBe(true);
});

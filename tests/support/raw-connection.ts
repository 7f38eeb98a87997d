import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test writes bytes as they are, and that reads nothing until the test says so. */
export interface RawConnection {
  socket: Socket;
  closed: Promise<void>;
  isClosed(): boolean;
}

/** Opens it. It is paused: what the server sends stays with the server, once the buffers in between are full. */
export async function openUnread(url: string, first: string): Promise<RawConnection> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on('error', () => {});
  socket.pause();
  socket.write(first);
  return { socket, closed, isClosed: () => isClosed };
}

/** A GET of GraphQL, as bytes. */
export function graphqlGet(query: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`;
}

/** The request that becomes a WebSocket, as bytes. */
export const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'host: localhost',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol: graphql-transport-ws',
  '\r\n',
].join('\r\n');

const OPCODES = { text: 1, ping: 9, pong: 10 } as const;

/** A frame as clients send it: masked, with a mask of zeros. Up to 65,535 bytes. */
export function clientFrame(kind: keyof typeof OPCODES, data = ''): Buffer {
  const payload = Buffer.from(data);
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | OPCODES[kind], 0x80 | payload.length])
      : Buffer.from([0x80 | OPCODES[kind], 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

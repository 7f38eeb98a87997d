import { createServer, type AddressInfo, type Socket } from 'node:net';

const READY = message('Z', Buffer.from('I'));
/** As `pg_terminate_backend` and a failover have it. */
const TERMINATED = message(
  'E',
  Buffer.from(
    'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0Fpostgres.c\0L1\0RProcessInterrupts\0\0',
  ),
);

/** What comes in one packet with the notice that the connection ends: the readiness after log-in, or an answer. */
export type LastWords = 'READY' | 'ANSWER' | 'COMMIT';

/** A server that lets everybody in, answers every statement with nothing, and ends connections in one packet with an answer. */
export interface FakePostgres {
  url: string;
  /** Connections that were ended so. */
  ended(): number;
  dispose(): Promise<void>;
}

export async function startFakePostgres(lastWords: LastWords): Promise<FakePostgres> {
  const sockets = new Set<Socket>();
  let ended = 0;

  function end(socket: Socket, ...before: Uint8Array<ArrayBuffer>[]): void {
    ended += 1;
    // One write of so few bytes is one packet, and one read.
    socket.end(Buffer.concat([...before, TERMINATED]));
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.once('data', () => {
      const welcome = [message('R', uint32(0)), message('K', Buffer.concat([uint32(1), uint32(2)])), READY];
      if (lastWords === 'READY') return end(socket, ...welcome);
      socket.write(Buffer.concat(welcome));
      socket.on('data', (data: Buffer) => {
        const text = data.toString('latin1');
        // A statement comes as one message (Q), or as five (P, B, D, E, S).
        const answers =
          data[0] === 0x51
            ? [message('C', cstring(text.slice(5, -1).split(/[ ;]/)[0] ?? '')), READY]
            : [message('1'), message('2'), message('n'), message('C', cstring('SELECT 0')), READY];
        const last = lastWords === 'ANSWER' ? !text.includes('BEGIN') : text.includes('COMMIT');
        if (last) end(socket, ...answers);
        else socket.write(Buffer.concat(answers));
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `postgresql://shop@127.0.0.1:${(server.address() as AddressInfo).port}/shop`,
    ended: () => ended,
    async dispose() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function message(type: string, body: Uint8Array = Buffer.alloc(0)): Buffer<ArrayBuffer> {
  return Buffer.concat([Buffer.from(type), uint32(body.length + 4), body]);
}

function uint32(value: number): Buffer<ArrayBuffer> {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function cstring(text: string): Buffer<ArrayBuffer> {
  return Buffer.from(`${text}\0`);
}

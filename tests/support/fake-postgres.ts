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
      let received: Buffer = Buffer.alloc(0);
      socket.on('data', (data: Buffer) => {
        const { requests, rest } = requestsOf(Buffer.concat([received, data]));
        received = rest;
        const answers: Uint8Array<ArrayBuffer>[] = [];
        for (const { text, isSimple } of requests) {
          const tag = isSimple ? (text.slice(5, -1).split(/[ ;]/)[0] ?? '') : 'SELECT 0';
          answers.push(
            ...(isSimple ? [] : [message('1'), message('2'), message('n')]),
            ...[message('C', cstring(tag)), READY],
          );
          const isLast = lastWords === 'ANSWER' ? !text.includes('BEGIN') : text.includes('COMMIT');
          if (isLast) return end(socket, ...answers);
        }
        socket.write(Buffer.concat(answers));
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

/** Statements that came whole: one message each (Q), or five (P, B, D, E, S). Several may come in one packet. */
function requestsOf(data: Buffer): { requests: { text: string; isSimple: boolean }[]; rest: Buffer } {
  const requests: { text: string; isSimple: boolean }[] = [];
  let begin = 0;
  for (let at = 0; at + 5 <= data.length;) {
    const [type, end] = [data[at], at + 1 + data.readUInt32BE(at + 1)];
    if (end > data.length) break;
    at = end;
    const isSimple = type === 0x51; // Q
    if (!isSimple && type !== 0x53) continue; // S
    requests.push({ text: data.toString('latin1', begin, end), isSimple });
    begin = end;
  }
  return { requests, rest: data.subarray(begin) };
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

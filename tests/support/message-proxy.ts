import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A way to PostgreSQL that breaks before one request of its one client reaches the server: for the server the same as a
 * client that is killed there. A request is whatever the server answers with ReadyForQuery.
 * @param cut the number of that request, from 1; null: it never breaks
 */
export async function startMessageProxy(target: { host: string; port: number }, cut: number | null) {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((client) => {
    const upstream = connect(target);
    let started = false;
    let pending = Buffer.alloc(0);
    const destroy = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', destroy);
      socket.on('close', () => {
        sockets.delete(socket);
        destroy();
      });
    }
    client.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      for (;;) {
        // The first message has no type.
        const head = started ? 1 : 0;
        if (pending.length < head + 4) return;
        const size = head + pending.readInt32BE(head);
        if (pending.length < size) return;
        const message = pending.subarray(0, size);
        pending = pending.subarray(size);
        const type = started ? String.fromCharCode(message[0] ?? 0) : '';
        started = true;
        if (type === 'Q' || type === 'S') {
          requests += 1;
          if (requests === cut) return destroy();
        }
        upstream.write(message);
      }
    });
    upstream.on('data', (data) => client.write(data));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    /** How many requests there were so far. */
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be blocked, as a network is that drops every packet, or cut. */
export interface TcpProxy {
  port: number;
  /** From now on nothing passes, in either direction, until it is opened again; connections stay as they are. */
  block(): void;
  /** What was held back goes on. */
  open(): void;
  /** Breaks every connection there is, with whatever was under way. @returns how many there were */
  cut(): number;
  dispose(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  let blocked = false;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const upstream = connect(target);
    clients.add(client);
    client.once('close', () => clients.delete(client));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data: Buffer) => to.write(data));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (blocked) from.pause();
      else from.resume();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    block() {
      blocked = true;
      for (const socket of sockets) socket.pause();
    },
    open() {
      blocked = false;
      for (const socket of sockets) socket.resume();
    },
    cut() {
      const count = clients.size;
      for (const client of clients) client.resetAndDestroy();
      clients.clear();
      return count;
    },
    async dispose() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

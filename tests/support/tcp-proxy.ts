import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be blocked, as a network is that drops every packet, or cut. */
export interface TcpProxy {
  port: number;
  /** From now on nothing passes, in either direction, until it is opened again; connections stay as they are. */
  block(): void;
  /** What was held back goes on. */
  open(): void;
  /** From now on what passes takes so long, in either direction; 0: no longer than it does by itself. */
  delay(ms: number): void;
  /** Drops all that is sent on the connections there are, without a word, as a firewall that forgot them; new ones work. */
  forget(): void;
  /** Breaks every connection there is, with whatever was under way. @returns how many there were */
  cut(): number;
  dispose(): Promise<void>;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let blocked = false;
  let delayMs = 0;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const upstream = connect(target);
    clients.add(client);
    client.once('close', () => clients.delete(client));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      const isDeaf = () => forgotten.has(from);
      from.on('data', (data: Buffer) => {
        if (isDeaf()) return;
        // In order, since timers of one length are.
        if (delayMs > 0) setTimeout(() => isDeaf() || to.destroyed || to.write(data), delayMs);
        else to.write(data);
      });
      from.on('error', () => isDeaf() || to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!isDeaf()) to.destroy();
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
    delay(ms) {
      delayMs = ms;
    },
    forget() {
      for (const socket of sockets) forgotten.add(socket);
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

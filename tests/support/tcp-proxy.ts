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
  /**
   * Drops all that is sent on the connections there are, without a word, as a firewall that forgot them; new ones work.
   * @param noticedAfterMs until the server finds out, as by its own keep-alive, and closes them; by default it never does
   */
  forget(noticedAfterMs?: number): void;
  /**
   * Breaks a connection where a client sends something that has this text in it, once: the server gets it, and its answer is
   * lost. Resolves when that has happened.
   * @param earlier only on a connection on which this was sent since the call
   */
  cutAfter(text: string, earlier?: string): Promise<void>;
  /** From now on new connections are refused, until `accept`. */
  refuse(): void;
  accept(): void;
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
  let refusing = false;
  let fatal: { text: string; earlier: string | null; on: Set<Socket>; happened: () => void } | null = null;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
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
        const cut = from === client ? fatal : null;
        if (cut?.earlier != null && data.includes(cut.earlier)) cut.on.add(client);
        if (cut !== null && data.includes(cut.text) && (cut.earlier === null || cut.on.has(client))) {
          fatal = null;
          // The answer is proof that the server has done it.
          upstream.removeAllListeners('data');
          upstream.once('data', () => {
            client.resetAndDestroy();
            cut.happened();
          });
        }
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
    forget(noticedAfterMs) {
      const lost = [...sockets];
      for (const socket of lost) forgotten.add(socket);
      if (noticedAfterMs === undefined) return;
      setTimeout(() => {
        for (const socket of lost) socket.destroy();
      }, noticedAfterMs).unref();
    },
    cutAfter: (text, earlier) =>
      new Promise((happened) => (fatal = { text, earlier: earlier ?? null, on: new Set(), happened })),
    refuse: () => void (refusing = true),
    accept: () => void (refusing = false),
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

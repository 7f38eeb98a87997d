import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';

const file = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url));

/** The certificate of the authority that signed the proxy's, which no machine knows. */
export const AUTHORITY = file('authority.pem');

/** TLS before a PostgreSQL that has none. */
export interface TlsProxy {
  port: number;
  dispose(): Promise<void>;
}

/**
 * Starts one: it takes PostgreSQL's request for encryption, and hands on what comes decrypted.
 * @param certificate for the name localhost (`server`), or for another one (`elsewhere`)
 */
export async function startTlsProxy(
  target: { host: string; port: number },
  certificate: 'server' | 'elsewhere' = 'server',
): Promise<TlsProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    client.once('data', () => {
      client.write('S');
      const secure = new TLSSocket(client, {
        isServer: true,
        key: readFileSync(file('server.key')),
        cert: readFileSync(file(`${certificate}.pem`)),
      });
      const upstream = connect(target);
      keep(secure);
      keep(upstream);
      secure.pipe(upstream).pipe(secure);
      secure.on('close', () => upstream.destroy());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async dispose() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

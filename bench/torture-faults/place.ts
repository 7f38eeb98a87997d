import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findPostmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { overTcp, startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/support/tcp-proxy.ts';
import { freePort, startRedis, type Redis } from '../torture-events/redis.ts';
import type { Credentials } from '../options.ts';
import { startMailServer, type MailServer } from './mail-server.ts';
import type { Way } from './options.ts';
import { startShopProcess, type ShopProcess } from './processes.ts';

/** A shop of the run's own, with all that it stands on. */
export interface Place {
  way: Way;
  nodes: readonly ShopProcess[];
  workers: readonly ShopProcess[];
  /** Where shoppers and subscribers go: a way to each node that can be cut. */
  fronts: readonly { url: string; proxy: TcpProxy }[];
  /** Of the database itself, past the proxy. */
  databaseUrl(): string;
  databaseProxy: TcpProxy | null;
  postmaster(): number | null;
  redis: (Redis & { proxy: TcpProxy }) | null;
  mail: MailServer | null;
  mailbox: string | null;
  admin: Credentials;
  folder: string;
  dispose(options: { keepFolder: boolean }): Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/** @param settings environment variables over those of a run */
export async function openPlace(way: Way, settings: NodeJS.ProcessEnv = {}): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-faults-'));
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  const admin = { email: 'torture@example.com', password: randomBytes(18).toString('base64url') };
  const opened: (() => Promise<unknown>)[] = [];
  const dispose = async ({ keepFolder }: { keepFolder: boolean }) => {
    for (const close of opened.splice(0).toReversed()) await close();
    if (!keepFolder) rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
  };
  const proxyTo = async (port: number) => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port });
    opened.push(() => proxy.dispose());
    return proxy;
  };
  const env = {
    DATA_DIR: dataDir,
    SEED: 'none',
    RATE_LIMITS: 'off',
    BCRYPT_COST: '4',
    JWT_SECRET: randomBytes(32).toString('hex'),
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    CART_HOLD_SECONDS: '30',
    LOG_LEVEL: 'info',
    ...settings,
  };
  const begin = async (name: string, entry: string, more: NodeJS.ProcessEnv, port?: number) => {
    const logFile = join(folder, `${name.replaceAll(' ', '-')}.log`);
    const started = startShopProcess({
      name,
      entry,
      port: port ?? (await freePort()),
      env: { ...env, ...more },
      logFile,
    });
    opened.push(() => started.stop());
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await started.isReady())) {
      if (performance.now() > deadline) throw new Error(`${name} did not start: see ${logFile}`);
      await delay(100);
    }
    return started;
  };
  const clusterDir = join(dataDir, 'postgres');
  const directUrl = () => {
    const password = readFileSync(join(dataDir, 'postgres-password'), 'utf8').trim();
    return `postgresql://postgres:${password}@127.0.0.1:${findPostmaster(clusterDir)?.port}/vitrine`;
  };
  const postmaster = () => findPostmaster(clusterDir)?.pid ?? null;
  try {
    if (way === 'embedded') {
      const node = await begin('shop', 'src/server.ts', { PUBLIC_URL: 'http://127.0.0.1' });
      const proxy = await proxyTo(Number(new URL(node.url).port));
      const databaseUrl = directUrl();
      return {
        ...{ way, admin, folder, dispose, postmaster, nodes: [node], workers: [], mailbox: join(dataDir, 'mailbox') },
        fronts: [{ url: `http://127.0.0.1:${proxy.port}`, proxy }],
        databaseUrl: () => databaseUrl,
        ...{ databaseProxy: null, redis: null, mail: null },
      };
    }
    // Watched over by this process, as a managed database would be: the shop has nothing to do with it.
    const logger = createLogger({ level: 'silent', pretty: false });
    const postgres = await startEmbeddedPostgres({ dataDir, logger });
    opened.push(() => postgres.dispose());
    const databaseUrl = new URL(overTcp(postgres.connectionString));
    const databaseProxy = await proxyTo(Number(databaseUrl.port));
    const mail = await startMailServer();
    opened.push(() => mail.close());
    const own = await startRedis(folder);
    if (own !== null) opened.push(() => own.kill());
    const redis = own === null ? null : { ...own, proxy: await proxyTo(Number(new URL(own.url).port)) };
    const through = new URL(databaseUrl);
    through.port = String(databaseProxy.port);
    const services = {
      DATABASE_URL: through.href,
      SMTP_URL: mail.url,
      PUBLIC_URL: 'http://127.0.0.1',
      ...(redis === null ? {} : { REDIS_URL: `redis://127.0.0.1:${redis.proxy.port}` }),
    };
    const nodes = [];
    for (const name of ['node 1', 'node 2']) {
      const port = await freePort();
      // Its own address: where the `test` provider sends webhooks.
      const ofNode = { ...services, ROLES: 'api', PUBLIC_URL: `http://127.0.0.1:${port}` };
      nodes.push(await begin(name, 'src/server.ts', ofNode, port));
    }
    const workers = [];
    for (const name of ['worker 1', 'worker 2']) workers.push(await begin(name, 'src/worker.ts', services));
    const fronts = [];
    for (const { url } of nodes) {
      const proxy = await proxyTo(Number(new URL(url).port));
      fronts.push({ url: `http://127.0.0.1:${proxy.port}`, proxy });
    }
    return {
      ...{ way, admin, folder, dispose, postmaster, nodes, workers, fronts, databaseProxy, redis, mail },
      ...{ databaseUrl: () => databaseUrl.href, mailbox: null },
    };
  } catch (error) {
    await dispose({ keepFolder: true });
    throw error;
  }
}

import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

/** A connection for commands, over which nothing hangs: what cannot be answered soon is rejected. */
export interface RedisConnection extends AsyncDisposable {
  client: Redis;
}

/** What a connection is for. */
export interface RedisUse {
  /** Logged when Redis goes, with the reason. */
  away?: string;
  /** Logged when it comes. */
  there?: string;
  /** Milliseconds without a reply to a command after which the connection is replaced. */
  silentMs?: number;
  /** Not before `connect` is called. */
  lazy?: boolean;
}

const CONNECT_WITHIN_MS = 2_000;
const COMMAND_WITHIN_MS = 1_000;
const SILENT_MS = 2_000;
const RETRY_MOST_MS = 1_000;

/**
 * Whether an error says that the server has become a replica: after a change of masters the old one may be there still, take no
 * writes, and keep the connections that it has. A new connection finds the new master. Also where a script met it, or a command
 * that had been waiting.
 */
export function isOfReplica({ message }: Error): boolean {
  return /\bREADONLY\b|^UNBLOCKED\b|^MASTERDOWN\b/.test(message);
}

/**
 * Connects to Redis, now or as soon as it is there; nobody waits for it. While it is away commands are rejected at once.
 * It is logged when it goes and when it comes, not each time that it is tried.
 */
export function connectRedis(url: string, logger: Logger, use: RedisUse = {}): RedisConnection {
  const { away: gone = 'Redis is away; the shop goes on without it', there = 'Redis is there' } = use;
  const { host } = new URL(url);
  const client = new Redis(url, {
    connectTimeout: CONNECT_WITHIN_MS,
    commandTimeout: COMMAND_WITHIN_MS,
    socketTimeout: use.silentMs ?? SILENT_MS,
    retryStrategy: (times) => Math.min(times * 50, RETRY_MOST_MS),
    reconnectOnError: isOfReplica,
    enableOfflineQueue: false,
    // What was under way when the connection broke may have been done: its caller decides, and it is not sent again.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Subscribers subscribe again by themselves, and would not handle this failure.
    autoResubscribe: false,
    lazyConnect: use.lazy ?? false,
    connectionName: 'vitrine',
  });
  let isAway = false;
  let isClosing = false;

  // The reason alone: an error of Redis holds the command that failed, and with it the password.
  const away = (reason: string) => {
    if (isAway || isClosing) return;
    isAway = true;
    logger.warn({ host, reason }, gone);
  };
  client.on('error', (error: Error) => away(error.message));
  client.on('close', () => away('the connection was closed'));
  client.on('ready', () => {
    isAway = false;
    logger.info({ host }, there);
  });

  return {
    client,
    async [Symbol.asyncDispose]() {
      isClosing = true;
      const stream = client.stream as Socket | undefined; // none yet, or the last one
      client.disconnect();
      if (stream === undefined || stream.closed) return;
      await new Promise((resolve) => {
        stream.once('close', resolve);
        // A server that does not answer does not answer our goodbye either.
        stream.destroy();
      });
    },
  };
}

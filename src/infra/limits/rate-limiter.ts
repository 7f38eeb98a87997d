import type { Redis } from 'ioredis';
import type { Logger } from '../logger.ts';
import { createMemoryCounter, createRedisCounter, type Counter, type Limit } from './rate-limit-counters.ts';

/** An action that one limit applies to. */
export interface Ask<Name extends string = string> {
  limit: Name;
  /** Whom or what it is counted for. It is hashed before it is kept anywhere. */
  key: string;
  /** Integer, at least 1. Defaults to 1. */
  points?: number;
}

export type Verdict<Name extends string = string> =
  | {
      allowed: true;
      /** Takes the points back that were counted by this limit. Not awaited. */
      giveBack(limit: Name): void;
    }
  | {
      allowed: false;
      /** The limit that keeps the caller waiting for the longest. */
      limit: Name;
      retryAfterMs: number;
    };

/** How long one request has waited for the limiter already, in all. The limiter writes it. */
export interface LimiterWait {
  ms: number;
}

/** Counts what clients do, and says when it is too much. */
export interface RateLimiter<Name extends string = string> {
  readonly limits: Readonly<Record<Name, Limit>>;
  /**
   * Asks several limits at once. A request that one of them refuses is counted by none of them: it does not use up
   * the other, which may be somebody else's. Never rejects, and never takes long.
   * @param wait of the request; it is waited for in all as long as the limiter's patience lasts
   */
  consume(asks: readonly Ask<Name>[], wait?: LimiterWait): Promise<Verdict<Name>>;
}

/** How long a request waits for Redis at most, whatever it asks. */
const PATIENCE_MS = 50;
/** How long a Redis that did not answer in time is left alone. */
const LOOK_EVERY_MS = 1_000;

type Counters<Name extends string> = Readonly<Record<Name, Counter>>;

/**
 * Makes the limiter: over Redis, so that all nodes count together, or in this process where there is none. While Redis is
 * away or slow this process decides by what it has counted itself: each node then allows the whole of each limit.
 * @param options.hide makes of a key what may be kept: it could be an e-mail address
 */
export function createRateLimiter<Name extends string>(options: {
  limits: Readonly<Record<Name, Limit>>;
  redis: Redis | null;
  hide: (key: string) => string;
  logger: Logger;
  patienceMs?: number;
}): RateLimiter<Name> {
  const { limits, redis, hide, logger, patienceMs = PATIENCE_MS } = options;
  const own = countersOf(limits, createMemoryCounter);
  const shared = redis === null ? null : countersOf(limits, (name, limit) => createRedisCounter(name, limit, redis));
  const trust = redis === null ? null : createTrust({ redis, logger, patienceMs });

  async function decide(counters: Counters<Name>, asks: readonly Ask<Name>[]): Promise<Verdict<Name>> {
    const all = await Promise.all(
      asks.map(async ({ limit, key, points = 1 }) => ({
        limit,
        ...(await counters[limit].take(hide(`${limit}\n${key}`), points)),
      })),
    );
    const [longest] = all
      .flatMap(({ limit, retryAfterMs }) => (retryAfterMs === null ? [] : [{ limit, retryAfterMs }]))
      .toSorted((a, b) => b.retryAfterMs - a.retryAfterMs);
    const giveBack = (which: (limit: Name) => boolean) => {
      for (const taken of all) if (taken.retryAfterMs === null && which(taken.limit)) taken.giveBack();
    };
    if (longest === undefined) return { allowed: true, giveBack: (limit) => giveBack((name) => name === limit) };
    // On the same connection this comes before whatever is asked next.
    giveBack(() => true);
    return { allowed: false, ...longest };
  }

  return {
    limits,
    async consume(asks, wait = { ms: 0 }) {
      const patience = patienceMs - wait.ms;
      if (shared === null || trust === null || patience <= 0 || !trust.isGiven()) return decide(own, asks);
      const began = performance.now();
      try {
        return await within(patience, decide(shared, asks));
      } catch (error) {
        trust.lost((error as Error).message);
        return await decide(own, asks);
      } finally {
        wait.ms += performance.now() - began;
      }
    },
  };
}

function countersOf<Name extends string>(
  limits: Readonly<Record<Name, Limit>>,
  create: (name: string, limit: Limit) => Counter,
): Counters<Name> {
  return Object.fromEntries(
    Object.entries<Limit>(limits).map(([name, limit]) => [name, create(name, limit)]),
  ) as Counters<Name>;
}

/**
 * Whether Redis is to be asked. Where it failed once it is left alone, so that not each request has to find out for itself;
 * once a second somebody's request has it looked at, and does not wait for the answer.
 */
function createTrust({ redis, logger, patienceMs }: { redis: Redis; logger: Logger; patienceMs: number }) {
  let isLost = false;
  let looksAgainAt = 0;

  async function look(): Promise<void> {
    try {
      await within(patienceMs, redis.ping());
      isLost = false;
      logger.info('rate limits are counted in Redis again');
    } catch {
      // The next look may find it.
    }
  }

  return {
    isGiven(): boolean {
      if (redis.status !== 'ready') return false;
      if (isLost && performance.now() >= looksAgainAt) {
        looksAgainAt = performance.now() + LOOK_EVERY_MS;
        void look();
      }
      return !isLost;
    },
    lost(reason: string): void {
      looksAgainAt = performance.now() + LOOK_EVERY_MS;
      if (isLost) return;
      isLost = true;
      logger.warn({ reason }, 'Redis does not answer; this process counts rate limits by itself');
    },
  };
}

/** Result of the work, or a rejection if it takes longer; a late result is ignored. */
function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Where this process was busy itself the answer may have come: it is read before we give up.
    const giveUp = () => setImmediate(() => reject(new Error(`no answer within ${Math.round(ms)} ms`)));
    const timer = setTimeout(giveUp, ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

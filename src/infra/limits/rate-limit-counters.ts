import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** So many points in so many seconds, counted from the first of them. */
export interface Limit {
  points: number;
  seconds: number;
}

/** Counts for one limit. */
export interface Counter {
  /** Takes points where there are enough of them, else none. Rejects where the counter cannot be asked. */
  take(key: string, points: number): Promise<Taken>;
}

export interface Taken {
  /** Null: taken. Else how long until there are enough. */
  retryAfterMs: number | null;
  /** Undoes the count while its window lasts. Not awaited. */
  giveBack(): void;
}

/**
 * Points are given back until so shortly before their window's end: those that came late would be given to the next one,
 * and so could be collected.
 */
const LATE_MS = 100;

type Settings = (name: string, limit: Limit) => { keyPrefix: string; points: number; duration: number };
const settings: Settings = (name, { points, seconds }) => ({
  keyPrefix: `vitrine:limit:${name}`,
  points,
  duration: seconds,
});

/** A counter in this process. */
export function createMemoryCounter(name: string, limit: Limit): Counter {
  const limiter = new RateLimiterMemory(settings(name, limit));
  return {
    async take(key, points) {
      const taken = await take(limiter, key, points);
      // The library counts what it refuses.
      if (taken.retryAfterMs !== null) taken.giveBack();
      return taken;
    },
  };
}

// Rejected calls are not counted, and a counter never falls below 0. KEYS: the counter; ARGV: points,
// seconds of the window, the limit.
const SCRIPT = `
local asked, taken, ttl = tonumber(ARGV[1]), tonumber(redis.call('get', KEYS[1]) or 0), redis.call('pttl', KEYS[1])
local fresh = ttl < 0
if fresh then taken = 0 ttl = 1000 * tonumber(ARGV[2]) end
if asked > 0 and taken + asked > tonumber(ARGV[3]) then return { taken + asked, ttl } end
if asked < 0 then
  if taken > 0 then taken = redis.call('incrby', KEYS[1], math.max(asked, -taken)) end
  return { taken, ttl }
end
if fresh then redis.call('set', KEYS[1], asked, 'EX', ARGV[2]) return { asked, ttl } end
return { redis.call('incrby', KEYS[1], asked), ttl }`;

/** A counter that all processes share. */
export function createRedisCounter(name: string, limit: Limit, redis: Redis): Counter {
  const limiter = new RateLimiterRedis({
    ...settings(name, limit),
    storeClient: redis,
    customIncrTtlLuaScript: SCRIPT,
  });
  return { take: (key, points) => take(limiter, key, points) };
}

async function take(limiter: RateLimiterAbstract, key: string, points: number): Promise<Taken> {
  const { refused, msBeforeNext } = await consume(limiter, key, points);
  const until = performance.now() + msBeforeNext - LATE_MS;
  return {
    retryAfterMs: refused ? Math.max(1, msBeforeNext) : null,
    giveBack() {
      // At worst it stays counted.
      if (performance.now() < until) limiter.reward(key, points).catch(() => {});
    },
  };
}

async function consume(limiter: RateLimiterAbstract, key: string, points: number) {
  try {
    return { refused: false, msBeforeNext: (await limiter.consume(key, points)).msBeforeNext };
  } catch (error) {
    if (error instanceof RateLimiterRes) return { refused: true, msBeforeNext: error.msBeforeNext };
    throw error;
  }
}

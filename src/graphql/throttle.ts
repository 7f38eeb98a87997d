import { GraphQLError } from 'graphql';
import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import { createRateLimiter, type LimiterWait, type RateLimiter, type Verdict } from '../infra/rate-limiter.ts';
import type { RedisConnection } from '../infra/redis.ts';
import { createSigner } from '../infra/signer.ts';
import { createPresence, PRESENCE_LIMITS, type Presence, type PresenceLimits } from './presence.ts';
import { rateLimitsOf, tooMany, type RateLimitName, type RateLimits } from './rate-limits.ts';

/** Who sends an operation, as limits count. */
export interface Caller {
  readonly clientAddress: string;
  /** How long the operation has waited for the limiter. */
  readonly limiterWait: LimiterWait;
  readonly logger: Logger;
}

/** What keeps clients from doing too much. What single mutations ask is in throttled-mutations.ts. */
export interface Throttle {
  limiter: RateLimiter<RateLimitName>;
  /** Sockets, streams and replays at the same time. */
  presence: Presence;
  /** The most units that a line of a cart may have. */
  maxUnitsPerVariant: number;
  /**
   * Counts an operation, before any of it is looked at.
   * @throws RATE_LIMITED, for the request as a whole
   */
  admit(caller: Caller): Promise<void>;
  /** Counts a request that is no operation by the same limit: so many seconds to wait where it is too much, else null. */
  secondsToWait(caller: Caller): Promise<number | null>;
}

/** For tests: other figures, and more patience where a machine is busy. */
export interface ThrottleOverrides {
  limits?: Partial<RateLimits>;
  presence?: Partial<PresenceLimits>;
  patienceMs?: number;
}

/** Makes it; null where `RATE_LIMITS` is off. */
export function createThrottle(options: {
  config: Config;
  redis: RedisConnection | null;
  logger: Logger;
  /** Told which limit has refused somebody who wanted to stay. */
  onRefused: (limit: keyof PresenceLimits) => void;
  overrides?: ThrottleOverrides | undefined;
}): Throttle | null {
  const { config, redis, logger, onRefused, overrides } = options;
  if (!config.rateLimits) {
    logger.warn('RATE_LIMITS is off: passwords may be guessed, and carts filled, without end');
    return null;
  }
  const signer = createSigner(config.secrets);
  const limiter = createRateLimiter<RateLimitName>({
    limits: { ...rateLimitsOf(config.cart), ...overrides?.limits },
    redis: redis?.client ?? null,
    hide: (key) => signer.sign('rate-limit', key),
    logger,
    ...(overrides?.patienceMs === undefined ? {} : { patienceMs: overrides.patienceMs }),
  });
  const count = ({ clientAddress, limiterWait }: Caller) =>
    limiter.consume([{ limit: 'operationsByClient', key: clientAddress }], limiterWait);

  return {
    limiter,
    presence: createPresence({ limits: { ...PRESENCE_LIMITS, ...overrides?.presence }, onRefused }),
    maxUnitsPerVariant: config.cart.maxUnitsPerVariant,
    async secondsToWait(caller) {
      const verdict = await count(caller);
      return verdict.allowed ? null : describeRefusal(verdict, caller.logger).seconds;
    },
    async admit(caller) {
      const verdict = await count(caller);
      if (verdict.allowed) return;
      const { message, seconds } = describeRefusal(verdict, caller.logger);
      const http = { status: 429, headers: { 'retry-after': String(seconds) } };
      throw new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfter: seconds, http } });
    },
  };
}

/** Refuses a field; the rest of the operation stands. `retryAfter` is told the seconds, for the header. */
export function refuseField(
  verdict: Verdict<RateLimitName> & { allowed: false },
  { logger, retryAfter }: { logger: Logger; retryAfter: (seconds: number) => void },
): GraphQLError {
  const { message, seconds } = describeRefusal(verdict, logger);
  retryAfter(seconds);
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfter: seconds } });
}

function describeRefusal(
  { limit, retryAfterMs }: { limit: RateLimitName; retryAfterMs: number },
  logger: Logger,
): { message: string; seconds: number } {
  const seconds = Math.ceil(retryAfterMs / 1000);
  logger.info({ limit, retryAfter: seconds }, 'rate limited');
  return { message: `Too many ${tooMany[limit]}. Try again in ${seconds} s.`, seconds };
}

import { GraphQLError } from 'graphql';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Limit } from '../../infra/limits/rate-limit-counters.ts';
import { createRateLimiter, type LimiterWait, type Verdict } from '../../infra/limits/rate-limiter.ts';
import type { RedisConnection } from '../../infra/redis.ts';
import { createSigner } from '../../infra/signer.ts';
import { createPresence, PRESENCE_LIMITS, type Presence, type PresenceLimits } from './connection-limits.ts';
import {
  asksOf,
  byNetwork,
  introspectionsByClient,
  operationsByClient,
  tableOf,
  type FieldAsk,
  type LimitTable,
  type RateLimit,
} from './rate-limits.ts';

/** Who sends an operation, as limits count. */
export interface Caller {
  readonly clientAddress: string;
  /** How long the operation has waited for the limiter. */
  readonly limiterWait: LimiterWait;
  readonly logger: Logger;
}

/** Client that requests a field; `retryAfter` is called with the seconds to wait, for the response header. */
export type FieldCaller = Caller & { retryAfter(seconds: number): void };

/** What keeps clients from doing too much. */
export interface Throttle {
  /** What the counters allow, by the limits' names. */
  limits: LimitTable['limits'];
  /** Sockets, streams and replays at the same time. */
  presence: Presence;
  /**
   * Takes points for a field, all or none.
   * @returns gives the points of one of the asks back, as if they had not been asked for
   * @throws RATE_LIMITED, for the field alone: the rest of the operation stands
   */
  take(asks: readonly FieldAsk[], caller: FieldCaller): Promise<(ask: FieldAsk) => void>;
  /**
   * Counts an operation, before any of it is looked at.
   * @throws RATE_LIMITED, for the request as a whole
   */
  admit(caller: Caller): Promise<void>;
  /** Counts an operation that asks for the schema. Throws as `admit` does. */
  admitIntrospection(caller: Caller): Promise<void>;
  /**
   * Counts a request to a page as an operation, and to more limits by the client's network, by their names: to all or none.
   * @param more.guesses limits whose points can be given back
   */
  admitPage(caller: Caller, more: { guesses: readonly string[]; always: readonly string[] }): Promise<PageVerdict>;
}

/** What became of a request to a page. */
export type PageVerdict =
  | { allowed: false; message: string; seconds: number }
  | {
      allowed: true;
      /** Gives the points of the guesses back. */
      giveBack(): void;
    };

/** For tests: other figures by the limits' names, and more patience where a machine is busy. */
export interface ThrottleOverrides {
  limits?: Readonly<Record<string, Limit>>;
  presence?: Partial<PresenceLimits>;
  patienceMs?: number;
}

/**
 * Makes it; null where `RATE_LIMITS` is off.
 * @param options.declared every limit that fields declare
 */
export function createThrottle(options: {
  config: Config;
  declared: ReadonlySet<RateLimit>;
  redis: RedisConnection | null;
  logger: Logger;
  /** Called with the limit that refused a socket or a stream. */
  onRefused: (limit: keyof PresenceLimits) => void;
  overrides?: ThrottleOverrides | undefined;
}): Throttle | null {
  const { config, declared, redis, logger, onRefused, overrides } = options;
  const { limits, tooMany } = tableOf(
    [operationsByClient, introspectionsByClient, ...declared],
    config,
    overrides?.limits,
  );
  if (!config.rateLimits) {
    logger.warn('RATE_LIMITS is off: clients can do as much as they like, such as guess passwords');
    return null;
  }
  const signer = createSigner(config.secrets);
  const limiter = createRateLimiter({
    limits,
    redis: redis?.client ?? null,
    hide: (key) => signer.sign('rate-limit', key),
    logger,
    ...(overrides?.patienceMs === undefined ? {} : { patienceMs: overrides.patienceMs }),
  });
  const byName = new Map([...declared].map((limit) => [limit.name, limit]));
  function declaredAs(name: string): RateLimit {
    const limit = byName.get(name);
    if (limit === undefined) throw new Error(`no module declares the rate limit ${name}`);
    return limit;
  }
  const count = (caller: Caller, limit = operationsByClient) =>
    limiter.consume(asksOf(byNetwork(limit, caller)), caller.limiterWait);

  function describe(verdict: Verdict & { allowed: false }, log: Logger): { message: string; seconds: number } {
    const { limit } = verdict;
    const seconds = Math.ceil(verdict.retryAfterMs / 1000);
    log.info({ limit, retryAfter: seconds }, 'rate limited');
    return { message: `Too many ${tooMany.get(limit) ?? limit}. Try again in ${seconds} s.`, seconds };
  }

  async function admit(caller: Caller, limit: RateLimit): Promise<void> {
    const verdict = await count(caller, limit);
    if (verdict.allowed) return;
    const { message, seconds } = describe(verdict, caller.logger);
    const http = { status: 429, headers: { 'retry-after': String(seconds) } };
    throw new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfter: seconds, http } });
  }

  return {
    limits,
    presence: createPresence({ limits: { ...PRESENCE_LIMITS, ...overrides?.presence }, onRefused }),
    async take(asks, caller) {
      const verdict = await limiter.consume(asks.flatMap(asksOf), caller.limiterWait);
      if (!verdict.allowed) {
        const { message, seconds } = describe(verdict, caller.logger);
        caller.retryAfter(seconds);
        throw new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfter: seconds } });
      }
      return (ask) => {
        for (const { limit } of asksOf(ask)) verdict.giveBack(limit);
      };
    },
    async admitPage(caller, { guesses, always }) {
      const named = (name: string) => asksOf(byNetwork(declaredAs(name), caller));
      const asked = [...asksOf(byNetwork(operationsByClient, caller)), ...always.flatMap(named)];
      const guessed = guesses.flatMap(named);
      const verdict = await limiter.consume([...asked, ...guessed], caller.limiterWait);
      if (!verdict.allowed) return { allowed: false, ...describe(verdict, caller.logger) };
      const giveBack = () => {
        for (const { limit } of guessed) verdict.giveBack(limit);
      };
      return { allowed: true, giveBack };
    },
    admit: (caller) => admit(caller, operationsByClient),
    admitIntrospection: (caller) => admit(caller, introspectionsByClient),
  };
}

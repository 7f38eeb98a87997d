import { comparableEmailAddress } from '../../config/email-address.ts';
import type { Config } from '../../config/config.ts';
import { WIDER, widerNetworks, WIDER_PREFIXES, type WiderPrefix } from '../../infra/limits/networks.ts';
import type { Limit } from '../../infra/limits/rate-limit-counters.ts';
import type { Ask } from '../../infra/limits/rate-limiter.ts';

/*
 * What a rate limit is, and how it is asked. The limits themselves are declared by the modules whose fields ask them, in
 * `*.limits.graphql.ts`, and beside each field by `limitedBy` of limited-fields.ts.
 */

/** A rate limit, as a module declares it. */
export interface RateLimit {
  /** Unique; names the limit in logs and in the counters' keys. */
  readonly name: string;
  /** How much is allowed in `seconds`, counted from the first use. */
  readonly points: number | ((config: Config) => number);
  readonly seconds: number;
  /** What there was too much of, for the message: "Too many … Try again in 60 s." */
  readonly tooMany: string;
  /** How many times `points` the IPv6 networks around a /64 may use; see `WIDER` for the default. */
  readonly wider?: Readonly<Record<WiderPrefix, number>>;
}

/** What a field asks of one limit. */
export interface FieldAsk {
  readonly limit: RateLimit;
  /** What is counted for: an address, a user, a token. It is hashed before it is kept anywhere. */
  readonly key: string;
  /** A whole number; 1 by default. */
  readonly points?: number;
  /** Counts for the networks around the key as well, which is a client address. */
  readonly wide?: true;
  /**
   * When the points are given back: SUCCESS for limits on guesses, FAILURE for limits on what a success brings about. A payload
   * without errors is a success, and so is any other result that is not null.
   */
  readonly back?: 'SUCCESS' | 'FAILURE';
}

/** As much of a context as counts. */
type Client = Readonly<{ clientAddress: string }>;

/** Counts for the client's network, and for the wider IPv6 networks around it. */
export function byNetwork(
  limit: RateLimit,
  { clientAddress }: Client,
  more: Pick<FieldAsk, 'points' | 'back'> = {},
): FieldAsk {
  return { limit, key: clientAddress, wide: true, ...more };
}

/** Counts for an e-mail address, as accounts' addresses are compared. */
export function byEmail(limit: RateLimit, email: string, more: Pick<FieldAsk, 'back'> = {}): FieldAsk {
  return { limit, key: emailKey(email), ...more };
}

/** Counts for an e-mail address and the client's network together. */
export function byEmailAndNetwork(
  limit: RateLimit,
  email: string,
  { clientAddress }: Client,
  more: Pick<FieldAsk, 'back'> = {},
): FieldAsk {
  return { limit, key: `${emailKey(email)}\n${clientAddress}`, ...more };
}

function emailKey(email: string): string {
  return comparableEmailAddress(email);
}

const MINUTE = 60;

/** Whatever is sent, by any transport: ten a second, for a minute on end. A page takes a handful. */
export const operationsByClient: RateLimit = {
  name: 'operationsByClient',
  points: 600,
  seconds: MINUTE,
  tooMany: 'requests from your network',
};

/** Operations that ask for the schema: each answer may be a megabyte. Tools ask once at their start. */
export const introspectionsByClient: RateLimit = {
  name: 'introspectionsByClient',
  points: 20,
  seconds: MINUTE,
  tooMany: 'introspection queries from your network',
};

const widerName = (name: string, prefix: WiderPrefix) => `${name}/${prefix}`;

/** What the counters are to ask: one question for each counter. */
export function asksOf({ limit: { name }, key, points = 1, wide }: FieldAsk): Ask[] {
  const own = { limit: name, key, points };
  if (wide === undefined) return [own];
  return [
    own,
    ...widerNetworks(key).map(({ prefix, network }) => ({ limit: widerName(name, prefix), key: network, points })),
  ];
}

/** The counters' limits by name, those of the wider networks included, and how each limit is called in messages. */
export interface LimitTable {
  limits: Readonly<Record<string, Limit>>;
  tooMany: ReadonlyMap<string, string>;
}

/**
 * Makes the table of all limits.
 * @param overrides other figures for some of them, by name
 * @throws where two different limits have one name
 */
export function tableOf(
  declared: Iterable<RateLimit>,
  config: Config,
  overrides: Readonly<Record<string, Limit>> = {},
): LimitTable {
  const limits: Record<string, Limit> = {};
  const tooMany = new Map<string, string>();
  for (const limit of new Set(declared)) {
    const { name, seconds, wider = WIDER } = limit;
    if (name in limits) throw new Error(`two rate limits are called ${name}`);
    const own = overrides[name] ?? {
      points: typeof limit.points === 'number' ? limit.points : limit.points(config),
      seconds,
    };
    limits[name] = own;
    tooMany.set(name, limit.tooMany);
    for (const prefix of WIDER_PREFIXES) {
      limits[widerName(name, prefix)] = { points: own.points * wider[prefix], seconds: own.seconds };
      tooMany.set(widerName(name, prefix), limit.tooMany);
    }
  }
  return { limits, tooMany };
}

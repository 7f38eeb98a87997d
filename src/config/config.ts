import { resolve } from 'node:path';
import { dataDirProblem } from './data-dir.ts';
import { keptSecret } from './kept-secret.ts';
import { paymentsOf, type PaymentsConfig } from './payments-config.ts';
import { crossCheck, LEAST_BCRYPT_COST, seedOf } from './cross-check.ts';
import { parseEnv, type ConfigFault } from './env.ts';
import { tracingOf, type TracingConfig } from './tracing-config.ts';

export type { PaymentsConfig, StripeConfig } from './payments-config.ts';
export type { TracingConfig } from './tracing-config.ts';

export type Role = 'api' | 'worker';

/** All settings of the shop, validated and complete. Only this folder reads the environment. */
export interface Config {
  /** Stricter rules: secrets must be given, no GraphiQL and no demo accounts unless asked for. */
  production: boolean;
  roles: readonly Role[];
  log: { level: string; pretty: boolean };
  http: {
    host: string;
    port: number;
    /** The origin under which the outside reaches the shop; null: the address that it listens on. */
    publicUrl: string | null;
    /** Origins whose pages may use the shop; a pattern has one `*` in the first label of its host. */
    corsOrigins: readonly string[];
    /** Further host names under which the shop is reached, in lower case, with a port or without. */
    allowedHosts: readonly string[];
    /** Seconds between the signal to stop and the last request that is taken; meanwhile `/health/ready` says 503. */
    drainSeconds: number;
    graphiql: boolean;
    /** Whether the shop window and the dashboard are served. */
    web: boolean;
    cookieSameSite: 'lax' | 'strict' | 'none';
    /** The domain whose hosts all get the cookies; null: this host alone. */
    cookieDomain: string | null;
    /** Token for reading the metrics; null: only requests from this machine may. */
    metricsToken: string | null;
    /** Whether clients may ask for the schema. */
    introspection: boolean;
    /** Largest body of a GraphQL request in bytes; ten times that with an access token. */
    bodyLimit: number;
    /** Largest body that the CMS may send, in bytes. */
    webhookBodyLimit: number;
    /** Number of proxies whose `x-forwarded-for` is trusted; 0: there is no proxy, and the header is ignored. */
    trustedProxies: number;
    /** Servers that render pages say by one of these for which shopper they ask; empty: none may. */
    storefrontKeys: readonly string[];
  };
  shop: {
    name: string;
    currency: string;
    /** Where the front end is, for links in mails; null: none but the shop's own. */
    storefrontUrl: string | null;
    /** Whether the API nodes serve the shop window: links in mails lead there where no other front end is named. */
    window: boolean;
  };
  pricing: PricingConfig;
  payments: PaymentsConfig;
  mail: {
    /** Null: mails are kept in the local mailbox. Holds a password. */
    smtpUrl: string | null;
    /** The sender: an address, alone or after a name. */
    from: string;
  };
  /** Seconds between two batches of back-in-stock emails for a variant. */
  stockAlertBatchSeconds: number;
  contentful: ContentfulConfig;
  dataDir: string;
  database: (
    | { kind: 'embedded'; dataDir: string }
    | {
        kind: 'url';
        url: string;
        /** URL of the same database that bypasses any pooler; null if there is none. */
        directUrl: string | null;
        /** What stands between; null: found out at the start. */
        pooler: 'none' | 'session' | 'transaction' | null;
      }
  ) & { /** Maximum number of connections of the process, for all purposes together. */ poolSize: number };
  redisUrl: string | null;
  /** Bytes for answers about the catalogue that a node keeps in memory; 0: none are kept. */
  readCacheBytes: number;
  /** Whether clients are limited in what they may do in a time; off for load tests alone. */
  rateLimits: boolean;
  seed: 'demo' | 'none';
  /** The first signs; all are accepted. At least one. */
  secrets: readonly string[];
  accounts: {
    /** How much work a guess at a password is: the binary logarithm. */
    bcryptCost: number;
    /** Seconds after which a session ends, however often it is refreshed. */
    sessionMaxSeconds: number;
    /** Account of the first ADMIN, created at a start that finds none; null: no account is created. */
    adminEmail: string | null;
    /** The password of an ADMIN that is made; null: in the demo one is made too, and a command asks for it. */
    adminPassword: string | null;
  };
  cart: CartConfig;
  lowStockThreshold: number;
  /** How long events are kept, for those who come back to them. */
  eventRetentionDays: number;
  retention: RetentionConfig;
  /** Null: no traces are recorded. */
  tracing: TracingConfig | null;
}

/** Days for which finished rows are kept. Orders, their history and the records of staff are kept forever. */
export interface RetentionConfig {
  /** Guests without a cart and without an order, after they came or their last cart went. */
  guestDays: number;
  /** Carts that are empty, expired or merged into another, and the lines of carts that were bought, after their last change. */
  cartDays: number;
  /** Stock alerts that were sent or cancelled. */
  stockAlertDays: number;
  /** Events that a consumer had parked, after they were handled. */
  parkedEventDays: number;
}

/** How prices and taxes go together. */
export interface PricingConfig {
  /** Whether prices contain the tax of the shop's own zone; otherwise tax is added to them. */
  pricesIncludeTax: boolean;
  /** With `pricesIncludeTax`, what customers in other zones pay: the same price, or the price without the tax that it contains. */
  taxAbroad: 'gross' | 'net';
}

/** The CMS that may change the catalogue. */
export interface ContentfulConfig {
  /** Null: there is no webhook. */
  webhookSecret: string | null;
  spaceId: string | null;
  environment: string;
  managementToken: string | null;
  /** Of the management API. */
  host: string;
  /** The id of the one content type whose entries are products. */
  contentType: string;
  /** Whose texts are taken. */
  locale: string;
}

/** The rules of carts that a shop may set. */
export interface CartConfig {
  /** Seconds that a hold lasts after the last change of its cart. */
  holdSeconds: number;
  /** Seconds that a hold may last in all. */
  maxHoldSeconds: number;
  maxUnitsPerVariant: number;
  maxLines: number;
  /** How many per cent of a variant's units the guests of one network may hold together; 100: as many as there are. */
  networkSharePercent: number;
}

/** The configuration is wrong; the message lists every fault, one a line, and no secret. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(['Invalid configuration:', ...faults.map((fault) => `  ${fault.name} ${fault.problem}`)].join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

export const DEFAULT_PORT = 4000;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Six processes fit into the 100 connections that PostgreSQL allows by default. */
const DEFAULT_CONNECTIONS = 16;

/** Whether a host name or address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/**
 * Reads and checks the configuration.
 * @param source the environment to read, the process's own by default
 * @param given what the process is to do, whatever ROLES says
 * @throws ConfigError with every fault at once
 */
export function loadConfig(source: NodeJS.ProcessEnv = process.env, given?: readonly Role[]): Config {
  const { env, faults } = parseEnv(source);
  const roles = given ?? env.ROLES ?? ['api', 'worker'];
  const host = env.HOST ?? '127.0.0.1';
  const production = env.NODE_ENV === 'production' || (!isLoopback(host) && env.DEMO !== true);
  faults.push(...crossCheck(env, { production, roles, named: new Set(faults.map((fault) => fault.name)) }));
  const dataDir = resolve(env.DATA_DIR ?? '.data');
  // With all three set, nothing is stored in the folder.
  const needsFolder = [env.DATABASE_URL, env.JWT_SECRET, env.SMTP_URL].includes(undefined);
  const problem = needsFolder ? dataDirProblem(dataDir) : null;
  if (problem !== null) faults.push({ name: 'DATA_DIR', problem });
  if (faults.length > 0) throw new ConfigError(faults);

  const seed = seedOf(env);
  const holdSeconds = env.CART_HOLD_SECONDS ?? 900;
  return {
    production,
    roles,
    log: { level: env.LOG_LEVEL ?? 'info', pretty: !production && process.stdout.isTTY },
    http: {
      host,
      port: env.PORT ?? DEFAULT_PORT,
      publicUrl: env.PUBLIC_URL ?? null,
      corsOrigins: env.CORS_ORIGINS ?? [],
      allowedHosts: env.ALLOWED_HOSTS ?? [],
      drainSeconds: env.DRAIN_SECONDS ?? (production && roles.includes('api') ? 5 : 0),
      graphiql: env.GRAPHIQL ?? !production,
      web: (env.WEB ?? true) && roles.includes('api'),
      cookieSameSite: env.COOKIE_SAMESITE ?? 'lax',
      cookieDomain: env.COOKIE_DOMAIN ?? null,
      metricsToken: env.METRICS_TOKEN ?? null,
      // GraphiQL is of no use without.
      introspection: env.INTROSPECTION ?? (!production || env.GRAPHIQL === true),
      bodyLimit: 100_000,
      webhookBodyLimit: 1_000_000,
      trustedProxies: env.TRUST_PROXY ?? 0,
      storefrontKeys: env.STOREFRONT_KEYS ?? [],
    },
    shop: {
      name: env.SHOP_NAME ?? 'Vitrine',
      currency: env.SHOP_CURRENCY ?? 'USD',
      storefrontUrl: env.STOREFRONT_URL?.replace(/\/+$/, '') ?? null,
      window: env.WEB ?? true,
    },
    pricing: { pricesIncludeTax: env.PRICES_INCLUDE_TAX ?? false, taxAbroad: env.TAX_ABROAD ?? 'gross' },
    payments: paymentsOf(env, { demo: seed === 'demo' && !production }),
    mail: { smtpUrl: env.SMTP_URL ?? null, from: env.MAIL_FROM ?? 'shop@vitrine.localhost' },
    stockAlertBatchSeconds: env.STOCK_ALERT_BATCH_SECONDS ?? 300,
    contentful: {
      webhookSecret: env.CONTENTFUL_WEBHOOK_SECRET ?? null,
      spaceId: env.CONTENTFUL_SPACE_ID ?? null,
      environment: env.CONTENTFUL_ENVIRONMENT ?? 'master',
      managementToken: env.CONTENTFUL_MANAGEMENT_TOKEN ?? null,
      host: env.CONTENTFUL_HOST ?? 'api.contentful.com',
      contentType: env.CONTENTFUL_CONTENT_TYPE ?? 'product',
      locale: env.CONTENTFUL_LOCALE ?? 'en-US',
    },
    dataDir,
    database: {
      ...(env.DATABASE_URL === undefined
        ? ({ kind: 'embedded', dataDir } as const)
        : ({
            kind: 'url',
            url: env.DATABASE_URL,
            directUrl: env.DATABASE_DIRECT_URL ?? null,
            pooler: env.DATABASE_POOLER === 'auto' ? null : (env.DATABASE_POOLER ?? null),
          } as const)),
      poolSize: env.DATABASE_POOL_SIZE ?? DEFAULT_CONNECTIONS,
    },
    redisUrl: env.REDIS_URL ?? null,
    readCacheBytes: (env.READ_CACHE_MB ?? 64) * 1_000_000,
    rateLimits: env.RATE_LIMITS ?? true,
    seed,
    secrets: env.JWT_SECRET ?? [keptSecret(dataDir, 'jwt-secret')],
    accounts: {
      bcryptCost: env.BCRYPT_COST ?? LEAST_BCRYPT_COST,
      sessionMaxSeconds: (env.SESSION_MAX_DAYS ?? 180) * 24 * 60 * 60,
      // In the demo there is one without being asked for, so that all of the shop can be tried.
      adminEmail: env.ADMIN_EMAIL ?? (seed === 'demo' && !production ? 'admin@example.com' : null),
      adminPassword: env.ADMIN_PASSWORD ?? null,
    },
    cart: {
      holdSeconds,
      maxHoldSeconds: env.CART_MAX_HOLD_SECONDS ?? Math.max(3600, holdSeconds),
      maxUnitsPerVariant: env.CART_MAX_UNITS_PER_VARIANT ?? 99,
      maxLines: env.CART_MAX_LINES ?? 100,
      networkSharePercent: env.CART_NETWORK_SHARE_PERCENT ?? 50,
    },
    lowStockThreshold: env.LOW_STOCK_THRESHOLD ?? 3,
    eventRetentionDays: env.EVENT_RETENTION_DAYS ?? 7,
    retention: {
      guestDays: env.GUEST_RETENTION_DAYS ?? 400,
      cartDays: env.CART_RETENTION_DAYS ?? 90,
      stockAlertDays: env.STOCK_ALERT_RETENTION_DAYS ?? 90,
      parkedEventDays: env.PARKED_EVENT_RETENTION_DAYS ?? 90,
    },
    tracing: tracingOf(env),
  };
}

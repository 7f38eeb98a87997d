import { z } from 'zod';
import { currencyDigits } from './currencies.ts';
import { readEmailAddress } from './email-address.ts';
import { passwordFault, passwordProblems } from './new-password.ts';
import { domainName, hostName, origin, originPattern } from './origins.ts';

/** Reads `on`, `1`, `true`, `yes` as true and their opposites as false. */
const flag = z.enum(['on', 'off', '1', '0', 'true', 'false', 'yes', 'no'], 'must be on or off').transform((value) => {
  return value === 'on' || value === '1' || value === 'true' || value === 'yes';
});

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be an integer')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be between ${least} and ${most}`);

/** How many proxies stand before the shop; `off` is none. */
const proxies = z
  .string()
  .transform((value) => (value === 'off' ? '0' : value))
  .pipe(wholeNumber(0, 10));

const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const urlWith = (...schemes: string[]) =>
  z.string().refine(
    (value) => {
      if (!URL.canParse(value)) return false;
      const { protocol, hostname } = new URL(value);
      return schemes.includes(protocol.slice(0, -1)) && !hostname.includes('*');
    },
    `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  );

const mailAddress = z.string().transform((text, ctx) => {
  const read = readEmailAddress(text);
  if ('address' in read) return read.address;
  ctx.addIssue({ code: 'custom', message: 'must be an email address', input: text });
  return z.NEVER;
});

const password = z.string().superRefine((text, ctx) => {
  const fault = passwordFault(text);
  if (fault !== null) ctx.addIssue({ code: 'custom', message: passwordProblems[fault], input: text });
});

/** An address, alone or after a name: `shop@example.com`, `The Shop <shop@example.com>`. */
const mailbox = z
  .string()
  .max(320, 'is too long')
  .transform((text, ctx) => {
    const [, name, inBrackets] = /^([^<>@\r\n]*)<([^<>]+)>$/.exec(text) ?? [];
    const read = readEmailAddress(inBrackets ?? text);
    if ('address' in read) return name === undefined ? read.address : `${name}<${read.address}>`;
    ctx.addIssue({
      code: 'custom',
      message: 'must be an email address, or a name followed by an email address in <>',
      input: text,
    });
    return z.NEVER;
  });

/** Headers as OpenTelemetry writes them in a variable: names and URL-encoded values. */
function headersOf(items: readonly string[], ctx: z.RefinementCtx): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const item of items) {
    const [, name, value] = /^([\w-]+)\s*=\s*((?:[^\s%]|%[\da-f]{2})+)$/i.exec(item) ?? [];
    try {
      if (name === undefined || value === undefined) throw new URIError();
      headers[name] = decodeURIComponent(value);
    } catch {
      ctx.addIssue({ code: 'custom', message: 'must be a list of name=value with URL-encoded values', input: items });
      return z.NEVER;
    }
  }
  return headers;
}

/**
 * The shape of the environment: one entry per variable, each on its own. What follows from several of them together is
 * `config.ts`'s business. An empty value counts as left out, and quotes around a whole value are taken off: `docker --env-file`
 * and systemd pass on what a shell would have removed.
 */
const shape = {
  NODE_ENV: z.string(),
  LOG_LEVEL: z.enum(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'must be a log level: trace, debug, info, warn, error, fatal or silent',
  ),
  PORT: wholeNumber(0, 65_535),
  HOST: z.string().regex(/^[\w.:-]+$/, 'must be a host name or an IP address'),
  ROLES: list.pipe(z.array(z.enum(['api', 'worker'], 'must be api, worker or both')).min(1, 'must not be empty')),
  DEMO: flag,
  GRAPHIQL: flag,
  INTROSPECTION: flag,
  WEB: flag,
  SHOP_NAME: z.string().max(100),
  SHOP_CURRENCY: z.string().refine((code) => currencyDigits(code) !== null, 'must be an ISO 4217 code such as EUR'),
  DATA_DIR: z.string(),
  DATABASE_URL: urlWith('postgres', 'postgresql'),
  DATABASE_DIRECT_URL: urlWith('postgres', 'postgresql'),
  DATABASE_POOLER: z.enum(['auto', 'none', 'session', 'transaction'], 'must be auto, none, session or transaction'),
  DATABASE_POOL_SIZE: wholeNumber(8, 100),
  READ_CACHE_MB: wholeNumber(0, 16_000),
  REDIS_URL: urlWith('redis', 'rediss'),
  SMTP_URL: urlWith('smtp', 'smtps'),
  MAIL_FROM: mailbox,
  JWT_SECRET: list.pipe(z.array(z.string().min(32, 'must have at least 32 characters')).min(1, 'is empty')),
  BCRYPT_COST: wholeNumber(4, 20),
  SESSION_MAX_DAYS: wholeNumber(1, 3650),
  ADMIN_EMAIL: mailAddress,
  ADMIN_PASSWORD: password,
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters'),
  SEED: z.enum(['demo', 'none'], 'must be demo or none'),
  CART_HOLD_SECONDS: wholeNumber(1, 86_400),
  CART_MAX_HOLD_SECONDS: wholeNumber(1, 604_800),
  CART_MAX_UNITS_PER_VARIANT: wholeNumber(1, 100_000),
  CART_MAX_LINES: wholeNumber(1, 1000),
  CART_NETWORK_SHARE_PERCENT: wholeNumber(1, 100),
  PRICES_INCLUDE_TAX: flag,
  TAX_ABROAD: z.enum(['gross', 'net'], 'must be gross or net'),
  PAYMENT_PROVIDERS: list.pipe(
    z
      .array(z.enum(['manual', 'test', 'stripe'], 'must be a list of manual, test and stripe'))
      .min(1, 'must not be empty')
      .refine((names) => new Set(names).size === names.length, 'names a provider twice'),
  ),
  PAYMENT_CAPTURE: z.enum(['automatic', 'manual'], 'must be automatic or manual'),
  PAYMENT_WITHIN_SECONDS: wholeNumber(1, 3600),
  UNPAID_ORDERS_EXPIRE_DAYS: wholeNumber(1, 3650),
  STRIPE_SECRET_KEY: z.string().regex(/^[sr]k_\w+$/, 'must be a secret or restricted key of Stripe (sk_… or rk_…)'),
  STRIPE_WEBHOOK_SECRET: z.string().regex(/^whsec_\S+$/, 'must be the signing secret of a Stripe webhook (whsec_…)'),
  STRIPE_PUBLISHABLE_KEY: z.string().regex(/^pk_\w+$/, 'must be a publishable key of Stripe (pk_…)'),
  STRIPE_API_URL: origin,
  LOW_STOCK_THRESHOLD: wholeNumber(0, 1_000_000),
  EVENT_RETENTION_DAYS: wholeNumber(1, 3650),
  // At least as long as browsers keep the token, because the token of a deleted guest is rejected.
  GUEST_RETENTION_DAYS: wholeNumber(180, 36_500),
  CART_RETENTION_DAYS: wholeNumber(1, 36_500),
  STOCK_ALERT_RETENTION_DAYS: wholeNumber(1, 36_500),
  PARKED_EVENT_RETENTION_DAYS: wholeNumber(1, 36_500),
  STOCK_ALERT_BATCH_SECONDS: wholeNumber(1, 86_400),
  PUBLIC_URL: origin,
  STOREFRONT_URL: urlWith('http', 'https'),
  CORS_ORIGINS: list.pipe(z.array(originPattern)),
  ALLOWED_HOSTS: list.pipe(z.array(hostName)),
  DRAIN_SECONDS: wholeNumber(0, 300),
  COOKIE_DOMAIN: domainName,
  COOKIE_SAMESITE: z.enum(['lax', 'strict', 'none'], 'must be lax, strict or none'),
  TRUST_PROXY: proxies,
  STOREFRONT_KEYS: list.pipe(z.array(z.string().min(32, 'must have at least 32 characters')).min(1, 'is empty')),
  RATE_LIMITS: flag,
  OTEL_EXPORTER_OTLP_ENDPOINT: urlWith('http', 'https'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: urlWith('http', 'https'),
  OTEL_EXPORTER_OTLP_HEADERS: list.transform(headersOf),
  OTEL_SERVICE_NAME: z.string().max(100),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?|\.\d+)$/, 'must be a number between 0 and 1')
    .transform(Number),
  CONTENTFUL_WEBHOOK_SECRET: z
    .string()
    .regex(/^[\w+/=-]{64}$/, 'must be the signing secret of Contentful (64 characters)'),
  CONTENTFUL_SPACE_ID: z.string().regex(/^[\w-]{1,64}$/, 'must be a Contentful space ID'),
  CONTENTFUL_ENVIRONMENT: z.string().regex(/^[\w.-]{1,64}$/, 'must be a Contentful environment ID'),
  CONTENTFUL_MANAGEMENT_TOKEN: z.string(),
  CONTENTFUL_HOST: z.string().regex(/^[\w.-]+(:\d+)?$/, 'must be a host name with an optional port'),
  CONTENTFUL_CONTENT_TYPE: z.string().regex(/^[\w.-]{1,64}$/, 'must be a Contentful content type ID'),
  CONTENTFUL_LOCALE: z.string().regex(/^[A-Za-z0-9-]{2,35}$/, 'must be a locale code'),
} satisfies Record<string, z.ZodType>;

const schema = z.object(shape).partial();

/** The environment after parsing: every variable that was set, in its own type. */
export type Env = z.infer<typeof schema>;

/** The names of all variables that the shop reads. */
export const envNames: readonly string[] = Object.keys(shape);

/** One thing that is wrong with the configuration. Never holds the value, which may be a secret. */
export interface ConfigFault {
  name: string;
  problem: string;
}

/** Parses the environment; gives what could be parsed and every fault, so that one start shows all of them. */
export function parseEnv(source: NodeJS.ProcessEnv): { env: Env; faults: ConfigFault[] } {
  const given = Object.fromEntries(
    envNames.flatMap((name) => {
      const value = unquoted(source[name]?.trim());
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const faults: ConfigFault[] = [];
  const env: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(shape)) {
    if (given[name] === undefined) continue;
    const result = type.safeParse(given[name]);
    if (result.success) env[name] = result.data;
    else faults.push({ name, problem: [...new Set(result.error.issues.map((issue) => issue.message))].join('; ') });
  }
  return { env, faults };
}

/** Without the quotes around the whole of it. */
function unquoted(value: string | undefined): string | undefined {
  return value?.replace(/^(["'])(.*)\1$/s, '$2').trim();
}

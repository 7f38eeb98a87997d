import type * as Psl from 'psl';
import type { ConfigFault, Env } from './env.ts';
import { loadLater } from './load-later.ts';

/** The list of public suffixes: few shops have a domain for cookies. */
const psl = loadLater<typeof Psl>('psl');

/** In production; elsewhere it may be less, so that tests are quick. */
export const LEAST_BCRYPT_COST = 12;

/** What a new database is filled with. */
export function seedOf({ SEED, DATABASE_URL }: Env): 'demo' | 'none' {
  return SEED ?? (DATABASE_URL === undefined ? 'demo' : 'none');
}

/**
 * The faults that only show when variables are seen together.
 * @param context.named variables that are known to be wrong already
 */
export function crossCheck(
  env: Env,
  { production, roles, named }: { production: boolean; roles: readonly string[]; named: ReadonlySet<string> },
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const missing = (name: keyof Env) => env[name] === undefined && !named.has(name);
  if (production && missing('JWT_SECRET')) {
    faults.push({
      name: 'JWT_SECRET',
      problem: 'is required in production (at least 32 characters; create one with `openssl rand -base64 48`)',
    });
  }
  if (production && (env.BCRYPT_COST ?? LEAST_BCRYPT_COST) < LEAST_BCRYPT_COST) {
    faults.push({ name: 'BCRYPT_COST', problem: `must be at least ${LEAST_BCRYPT_COST} in production` });
  }
  const demo = seedOf(env) === 'demo' && !production;
  if (env.ADMIN_EMAIL !== undefined && missing('ADMIN_PASSWORD') && !demo) {
    faults.push({ name: 'ADMIN_PASSWORD', problem: 'is required if ADMIN_EMAIL is set' });
  }
  if (production && env.SMTP_URL !== undefined && missing('MAIL_FROM')) {
    faults.push({ name: 'MAIL_FROM', problem: 'is required in production if SMTP_URL is set' });
  }
  if (production && !roles.includes('api') && missing('PUBLIC_URL')) {
    faults.push({
      name: 'PUBLIC_URL',
      problem: 'is required in production for worker-only processes, because links in emails lead there',
    });
  }
  const { CART_HOLD_SECONDS: hold = 900, CART_MAX_HOLD_SECONDS: most } = env;
  if (most !== undefined && most < hold) {
    faults.push({ name: 'CART_MAX_HOLD_SECONDS', problem: `must not be less than CART_HOLD_SECONDS (${hold})` });
  }
  faults.push(...paymentFaults(env, production));
  if (env.COOKIE_SAMESITE === 'none' && !(env.PUBLIC_URL ?? '').startsWith('https://')) {
    faults.push({
      name: 'COOKIE_SAMESITE',
      problem: 'can be none only if PUBLIC_URL is https, because browsers reject such cookies otherwise',
    });
  }
  const cookieDomain = cookieDomainProblem(env, production);
  if (cookieDomain !== null) faults.push({ name: 'COOKIE_DOMAIN', problem: cookieDomain });
  return faults;
}

function paymentFaults(env: Env, production: boolean): ConfigFault[] {
  const { PAYMENT_PROVIDERS: providers = [], STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: webhookSecret } = env;
  const faults: ConfigFault[] = [];
  if (production && providers.includes('test')) {
    faults.push({ name: 'PAYMENT_PROVIDERS', problem: 'must not contain test in production' });
  }
  if (providers.includes('stripe') && key === undefined) {
    faults.push({ name: 'STRIPE_SECRET_KEY', problem: 'is required if PAYMENT_PROVIDERS contains stripe' });
  }
  if (production && key !== undefined && webhookSecret === undefined) {
    faults.push({ name: 'STRIPE_WEBHOOK_SECRET', problem: 'is required in production if STRIPE_SECRET_KEY is set' });
  }
  if (production && env.STRIPE_API_URL !== undefined) {
    faults.push({ name: 'STRIPE_API_URL', problem: 'is for tests, and must not be set in production' });
  }
  return faults;
}

/** Why browsers would not take cookies for the domain, or should not; null where they may. */
function cookieDomainProblem(
  { COOKIE_DOMAIN: domain, PUBLIC_URL: publicUrl }: Env,
  production: boolean,
): string | null {
  if (domain === undefined) return null;
  if (publicUrl === undefined) return 'needs PUBLIC_URL, whose host must be in this domain';
  const { hostname, protocol } = new URL(publicUrl);
  if (hostname !== domain && !hostname.endsWith(`.${domain}`)) {
    return 'must be the host of PUBLIC_URL or a parent domain of that host';
  }
  const parsed = psl().parse(domain);
  if ('listed' in parsed && parsed.listed && parsed.domain === null) {
    return 'must not be a public suffix, under which strangers have domains of their own';
  }
  return production && protocol !== 'https:' ? 'needs a PUBLIC_URL with https in production' : null;
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type Stripe from 'stripe';
import { Refused, Unknown } from '../provider.types.ts';

/** The version of Stripe's API that this code was written for. What Stripe sends does not change while this stands. */
const API_VERSION = '2026-10-28.endive';
/** Longer than any call is waited for by a shopper; after it the outcome is unknown. */
const TIMEOUT_MS = 20_000;

const load = createRequire(import.meta.url);
let loaded: typeof Stripe | undefined;

/** The package. Loaded when it is first needed, because it takes 20 MB of memory that shops without Stripe can spare. */
export function stripePackage(): typeof Stripe {
  return (loaded ??= load('stripe') as typeof Stripe);
}

/** Calls Stripe. */
export interface StripeCalls {
  /**
   * Runs work that uses the client. Requests end when the signal is aborted.
   * @throws Refused or Unknown, and nothing else
   */
  call<T>(signal: AbortSignal, work: (client: Stripe) => Promise<T>): Promise<T>;
}

/**
 * Creates the client.
 * @param options.apiUrl origin of the API; null: Stripe's own
 */
export function createStripeCalls({ secretKey, apiUrl }: { secretKey: string; apiUrl: string | null }): StripeCalls {
  const signals = new AsyncLocalStorage<AbortSignal>();
  let client: Stripe | undefined;

  /** Requests end with the signal of the call that makes them, as well as with the package's own. */
  const fetchUntil: typeof fetch = (url, init = {}) => {
    const all = [init.signal, signals.getStore()].filter((signal) => signal != null);
    return fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any(all) });
  };

  function connect(): Stripe {
    const Package = stripePackage();
    return new Package(secretKey, {
      apiVersion: API_VERSION,
      // The shop has its own way of repeating calls. (With the package's other HTTP client a connection that breaks would be tried
      // once more all the same.)
      maxNetworkRetries: 0,
      httpClient: Package.createFetchHttpClient(fetchUntil),
      timeout: TIMEOUT_MS,
      telemetry: false,
      ...(apiUrl === null ? {} : addressOf(apiUrl)),
    });
  }

  return {
    async call(signal, work) {
      try {
        signal.throwIfAborted();
        client ??= connect();
        const { stripe } = { stripe: client };
        return await signals.run(signal, () => work(stripe));
      } catch (error) {
        throw providerError(error);
      }
    },
  };
}

function addressOf(apiUrl: string): { host: string; port: number; protocol: 'http' | 'https' } {
  const { hostname: host, port, protocol } = new URL(apiUrl);
  const isPlain = protocol === 'http:';
  return { host, port: Number(port === '' ? (isPlain ? 80 : 443) : port), protocol: isPlain ? 'http' : 'https' };
}

/**
 * An error as the shop knows it. Refused only where Stripe has looked at the request and said no to it: the card or the request itself.
 * All else is Unknown: lost answers, 5xx, and a key that another request uses at this moment (409), but also what was surely not
 * done and may be done later, when staff have set another API key (401, 403) or Stripe has less to do (429).
 */
export function providerError(error: unknown): Refused | Unknown {
  if (error instanceof Refused || error instanceof Unknown) return error;
  const { type, message, code, decline_code, statusCode } = (error ?? {}) as Partial<Stripe.errors.StripeError>;
  const isAnswer = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  const isRefusal =
    type === 'StripeCardError' || type === 'StripeInvalidRequestError' || type === 'StripeIdempotencyError';
  // Locks of Stripe's own: the request was not looked at.
  const isBusy = code === 'lock_timeout' || code === 'idempotency_key_in_use' || code === 'rate_limit';
  if (isAnswer && isRefusal && !isBusy) {
    return new Refused(message ?? 'Stripe refused the request.', decline_code || (code ?? type));
  }
  return new Unknown(`Stripe gave no answer that can be relied on (${type ?? 'no connection'})`, { cause: error });
}

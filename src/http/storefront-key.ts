import type { IncomingMessage } from 'node:http';
import { networkOf } from '../infra/limits/networks.ts';
import { isOneOfSecrets } from '../infra/same-secret.ts';

/*
 * A server that renders pages asks the shop for all its shoppers. One that has a key of STOREFRONT_KEYS says by a header for whom
 * it asks, and that shopper's address counts for limits in place of the server's.
 */

export const KEY_HEADER = 'x-storefront-key';
export const SHOPPER_HEADER = 'x-shopper-address';

/** Why a request with a storefront key is refused. */
export interface StorefrontRefusal {
  status: 400 | 401;
  code: 'UNAUTHENTICATED' | 'BAD_REQUEST';
  message: string;
}

/** What a storefront says; null for requests without a key. */
export type Storefront =
  | {
      refusal: null;
      /** The shopper's network; null where the server asks on its own behalf. */
      shopper: string | null;
    }
  | { refusal: StorefrontRefusal; shopper: null };

/** Reads the headers of a storefront. A key that is there and not valid is an error: a silent fall-back would be found too late. */
export function storefrontOf(
  { headers }: Pick<IncomingMessage, 'headers'>,
  keys: readonly string[],
): Storefront | null {
  const key = headers[KEY_HEADER];
  if (key === undefined) return null;
  if (!isOneOfSecrets(String(key), keys)) {
    return refused(401, 'UNAUTHENTICATED', `The value of ${KEY_HEADER} is not one of STOREFRONT_KEYS.`);
  }
  const address = headers[SHOPPER_HEADER];
  if (address === undefined) return { refusal: null, shopper: null };
  const shopper = networkOf(String(address).trim());
  return shopper === null
    ? refused(400, 'BAD_REQUEST', `${SHOPPER_HEADER} must be a single IPv4 or IPv6 address.`)
    : { refusal: null, shopper };
}

function refused(
  status: StorefrontRefusal['status'],
  code: StorefrontRefusal['code'],
  message: string,
): Storefront & { refusal: StorefrontRefusal } {
  return { refusal: { status, code, message }, shopper: null };
}

import { randomBytes } from 'node:crypto';
import { createSigner } from '../../infra/signer.ts';

/*
 * Devices on which somebody has logged in to an account before. A device token is worth nothing by itself: it only has wrong
 * passwords counted for the device, so that strangers who guess at the account's password cannot keep its owner out.
 */

/** Makes and reads device tokens. */
export interface KnownDevices {
  /** A token for a device on which a user has just logged in to the account with this address. */
  deviceToken(email: string, known: string | null): string;
  /** The device that a token names, made for the account with this address; null where it is none of ours. */
  knownDevice(token: string | null | undefined, email: string): string | null;
}

const PURPOSE = 'known device';
/** 16 random bytes and the tag. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/;

/** Wires them. */
export function createKnownDevices({ secrets }: { secrets: readonly string[] }): KnownDevices {
  const signer = createSigner(secrets);
  const tagged = (device: string, email: string) => `${device} ${email.trim().toLowerCase()}`;

  return {
    deviceToken(email, known) {
      const device = known ?? randomBytes(16).toString('base64url');
      return `${device}.${signer.sign(PURPOSE, tagged(device, email))}`;
    },
    knownDevice(token, email) {
      const [, device, tag] = TOKEN.exec(token ?? '') ?? [];
      if (device === undefined || tag === undefined) return null;
      return signer.verify(PURPOSE, tagged(device, email), tag) ? device : null;
    },
  };
}

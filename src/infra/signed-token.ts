import { decodeUuid, encodeUuid } from './signed-id.ts';
import type { Signer } from './signer.ts';

/*
 * The secret in a link of a mail: a row's id, an end and a tag, which only the shop can make. No row, job or log holds it.
 * `bound` are further values that the tag covers: it fits no more when they have changed.
 */

/** What a token says of itself; nothing of it is to be believed before the tag was checked. */
export interface SignedToken {
  id: string;
  /** Seconds since 1970. */
  expiry: number;
  tag: string;
}

/** A uuid's 16 bytes, the end's 6 bytes of seconds, the tag. */
const TOKEN = /^([\w-]{22})\.([\w-]{8})\.([\w-]{43})$/;

const tagged = (id: string, bound: string, expiry: number) => `${id} ${bound} ${expiry}`;

/** Makes a token. */
export function signToken(
  signer: Signer,
  purpose: string,
  { id, expiry, bound }: { id: string; expiry: number; bound: string },
): string {
  const end = Buffer.alloc(6);
  end.writeUIntBE(expiry, 0, 6);
  return `${encodeUuid(id)}.${end.toString('base64url')}.${signer.sign(purpose, tagged(id, bound, expiry))}`;
}

/** Takes a token apart; null where it has not the shape of one. */
export function readToken(token: string): SignedToken | null {
  const [, id, end, tag] = TOKEN.exec(token) ?? [];
  if (id === undefined || end === undefined || tag === undefined) return null;
  return {
    id: decodeUuid(id),
    expiry: Buffer.from(end, 'base64url').readUIntBE(0, 6),
    tag,
  };
}

/** Whether the shop made it, for this purpose and these values, and it is not over at `at`. */
export function isGenuine(
  signer: Signer,
  purpose: string,
  { id, expiry, tag }: SignedToken,
  { bound, at }: { bound: string; at: Date },
): boolean {
  return signer.verify(purpose, tagged(id, bound, expiry), tag) && at.getTime() < expiry * 1000;
}

import type { Signer } from './signer.ts';

/** A uuid as the 22 characters that stand for its 16 bytes, for links. */
export function encodeUuid(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The uuid that 22 such characters stand for. */
export function decodeUuid(text: string): string {
  const hex = Buffer.from(text, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A uuid's 16 bytes, the tag. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/;

/** A token that names a row, signed for one purpose; always the same, and without an end. */
export function signId(signer: Signer, purpose: string, id: string): string {
  return `${encodeUuid(id)}.${signer.sign(purpose, id)}`;
}

/** The row that a token names; null where we signed no such token for this purpose. */
export function readSignedId(signer: Signer, purpose: string, token: string): string | null {
  const [, encoded, tag] = TOKEN.exec(token) ?? [];
  if (encoded === undefined || tag === undefined) return null;
  const id = decodeUuid(encoded);
  return signer.verify(purpose, id, tag) ? id : null;
}

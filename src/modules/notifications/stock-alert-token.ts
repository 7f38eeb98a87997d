import type { Signer } from '../../infra/signer.ts';

/*
 * The token in the mail's cancel link. It names the alert, signed: no row holds it. It has no end, since all that it can do
 * is to call the alert off.
 */

const PURPOSE = 'stock alert';
/** A uuid's 16 bytes, the tag. */
const TOKEN = /^([\w-]{22})\.([\w-]{43})$/;

/** The token that calls an alert off. */
export function signStockAlert(signer: Signer, alertId: string): string {
  const id = Buffer.from(alertId.replaceAll('-', ''), 'hex').toString('base64url');
  return `${id}.${signer.sign(PURPOSE, alertId)}`;
}

/** The alert that a token names; null where we signed no such token. */
export function readStockAlert(signer: Signer, token: string): string | null {
  const [, id, tag] = TOKEN.exec(token) ?? [];
  if (id === undefined || tag === undefined) return null;
  const hex = Buffer.from(id, 'base64url').toString('hex');
  const alertId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return signer.verify(PURPOSE, alertId, tag) ? alertId : null;
}

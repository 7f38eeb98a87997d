import { readSignedId, signId } from '../../infra/signed-id.ts';
import type { Signer } from '../../infra/signer.ts';

/*
 * The token in the mail's cancel link. It names the alert, signed: no row holds it. It has no end, since all that it can do
 * is to call the alert off.
 */

const PURPOSE = 'stock alert';

/** The token that calls an alert off. */
export function signStockAlert(signer: Signer, alertId: string): string {
  return signId(signer, PURPOSE, alertId);
}

/** The alert that a token names; null where we signed no such token. */
export function readStockAlert(signer: Signer, token: string): string | null {
  return readSignedId(signer, PURPOSE, token);
}

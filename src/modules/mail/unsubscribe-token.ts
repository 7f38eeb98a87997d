import type { Signer } from '../../infra/signer.ts';
import { mailKinds, type MailKind } from './mail.types.ts';

/*
 * The token of a link by which somebody takes no more mails of a kind. It names the address and the kind, signed: no row
 * holds it. It has no end, since people keep their mails, and all that it can do is to turn that kind off and on.
 */

/** What is turned off, and for whom. */
export interface Unsubscription {
  /** In lower case. */
  email: string;
  kind: MailKind;
}

const PURPOSE = 'unsubscribe';
/** Kind and address, the tag. */
const TOKEN = /^([\w-]{1,700})\.([\w-]{43})$/;

function isKind(text: string): text is MailKind {
  return Object.hasOwn(mailKinds, text);
}

/** The token that turns a kind of mail off for an address. */
export function signUnsubscription(signer: Signer, email: string, kind: MailKind): string {
  const data = `${kind} ${email.toLowerCase()}`;
  return `${Buffer.from(data).toString('base64url')}.${signer.sign(PURPOSE, data)}`;
}

/** What a token turns off; null where we signed no such token. */
export function readUnsubscription(signer: Signer, token: string): Unsubscription | null {
  const [, encoded, tag] = TOKEN.exec(token) ?? [];
  if (encoded === undefined || tag === undefined) return null;
  const data = Buffer.from(encoded, 'base64url').toString();
  const [kind = '', email = ''] = data.split(' ');
  return isKind(kind) && signer.verify(PURPOSE, data, tag) ? { email, kind } : null;
}

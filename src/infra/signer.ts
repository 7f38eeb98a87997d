import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Makes and checks tags (HMAC-SHA-256) that only this shop can make. */
export interface Signer {
  /** The tag of `data` for one purpose: a tag for another purpose never fits. base64url, 43 characters. */
  sign(purpose: string, data: string): string;
  /** Whether a tag fits, under any of the secrets; in constant time. */
  verify(purpose: string, data: string, tag: string): boolean;
}

/**
 * Makes a signer. Each purpose has a key of its own (HKDF, RFC 5869).
 * @param secrets the first signs, all are accepted: so a secret is rotated
 */
export function createSigner(secrets: readonly string[]): Signer {
  const [first] = secrets;
  if (first === undefined) throw new Error('a signer needs a secret');
  const keys = new Map<string, Buffer>();

  function tag(secret: string, purpose: string, data: string): Buffer {
    const name = `${purpose}\n${secret}`;
    let key = keys.get(name);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', secret, '', `vitrine ${purpose}`, 32));
      keys.set(name, key);
    }
    return createHmac('sha256', key).update(data).digest();
  }

  return {
    sign: (purpose, data) => tag(first, purpose, data).toString('base64url'),
    verify(purpose, data, given) {
      const bytes = Buffer.from(given, 'base64url');
      return secrets.some((secret) => {
        const expected = tag(secret, purpose, data);
        return bytes.length === expected.length && timingSafeEqual(bytes, expected);
      });
    },
  };
}

import { createHash, randomBytes } from 'node:crypto';
import { createSigner } from '../../infra/signer.ts';

const TOKEN = /^[\w-]{43}$/;

/** A new refresh token: 256 random bits. */
export function makeRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What the database keeps of a token, or null where it cannot be one. There is nothing to guess: a fast hash is enough. */
export function hashRefreshToken(token: string): Buffer | null {
  return TOKEN.test(token) ? createHash('sha256').update(token).digest() : null;
}

/** Names the token that takes another one's place. */
export interface Successors {
  /** The successor of a token: the same each time, so that it can be handed out again although only its hash is kept. */
  of(token: string): string;
  /** What the successor may be, a secret having been rotated since; the likeliest first. */
  candidates(token: string): string[];
}

/**
 * Makes successors (HMAC of the token under a secret of the shop): the successor of a token cannot be computed from the token or its
 * hash without the secret.
 * @param secrets the first makes, all are tried
 */
export function createSuccessors(secrets: readonly string[]): Successors {
  const signers = secrets.map((secret) => createSigner([secret]));
  const candidates = (token: string) => signers.map((signer) => signer.sign('refresh token successor', token));
  return {
    candidates,
    of(token) {
      const [successor] = candidates(token);
      if (successor === undefined) throw new Error('successors of refresh tokens need a secret');
      return successor;
    },
  };
}

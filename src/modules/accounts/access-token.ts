import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';

/** What an access token says. That it says so proves nothing yet: its time, and the session's row, are still to be checked. */
export interface AccessClaims {
  userId: string;
  sessionId: string;
  issuedAt: Date;
  expiresAt: Date;
}

/** Makes and reads access tokens (JWT, HS256). */
export interface AccessTokens {
  /** @param at the database's time */
  sign(claims: Pick<AccessClaims, 'userId' | 'sessionId'>, at: Date): { token: string; expiresAt: Date };
  /** What a token of ours says, or null where it is none. Whether its time is over is the database's to say. */
  read(token: string): AccessClaims | null;
}

const LIFETIME_SECONDS = 15 * 60;
const ALGORITHM = 'HS256';
const ISSUER = 'vitrine';
const AUDIENCE = 'vitrine api';
/** Ours have about 300; nothing longer is looked at. */
const MAX_LENGTH = 2000;

const claimsSchema = z.object({ sub: z.guid(), sid: z.guid(), iat: z.int(), exp: z.int() });

/** Says which secret signed, and nothing else of it. */
function keyId(secret: string): string {
  return createHmac('sha256', secret).update('access token key id').digest('base64url').slice(0, 11);
}

/**
 * Wires the tokens.
 * @param secrets the first signs, all are accepted: so a secret is rotated
 */
export function createAccessTokens(secrets: readonly string[]): AccessTokens {
  const [first] = secrets;
  if (first === undefined) throw new Error('access tokens need a secret');
  // From a string, jsonwebtoken would make a new key for each token, and first try to read it as a public key.
  const keys = new Map(secrets.map((secret): [string, KeyObject] => [keyId(secret), createSecretKey(secret, 'utf8')]));
  const signing = { id: keyId(first), key: createSecretKey(first, 'utf8') };

  function verify(token: string): unknown {
    const kid = jwt.decode(token, { complete: true })?.header.kid;
    const key = kid === undefined ? undefined : keys.get(kid);
    if (key === undefined) return null;
    // The algorithm is ours to say, never the token's. Nodes' clocks differ, so time is left to the database.
    return jwt.verify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      ignoreExpiration: true,
    });
  }

  return {
    sign({ userId, sessionId }, at) {
      const iat = Math.floor(at.getTime() / 1000);
      const exp = iat + LIFETIME_SECONDS;
      const token = jwt.sign({ sid: sessionId, iat, exp }, signing.key, {
        algorithm: ALGORITHM,
        keyid: signing.id,
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: userId,
      });
      return { token, expiresAt: new Date(exp * 1000) };
    },
    read(token) {
      if (token.length > MAX_LENGTH) return null;
      try {
        const { sub, sid, iat, exp } = claimsSchema.parse(verify(token));
        return { userId: sub, sessionId: sid, issuedAt: new Date(iat * 1000), expiresAt: new Date(exp * 1000) };
      } catch {
        return null;
      }
    },
  };
}

import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Database, Statement, Transaction } from '../../infra/database.ts';

/** People who buy without an account. A token that the server made names each; the database keeps only its hash. */
export interface GuestService {
  /** A new guest; it is there once the transaction commits. */
  create(tx: Transaction): Promise<{ id: string; token: string }>;
  /** The guest that a token names, or null where we made no such token. */
  find(token: string): Promise<string | null>;
}

const TOKEN = /^[\w-]{43}$/;

const insert: Statement = { name: 'guest_insert', text: 'INSERT INTO guests (id, token_hash) VALUES ($1, $2)' };
const find: Statement = { name: 'guest_find', text: 'SELECT id FROM guests WHERE token_hash = $1' };

/** The token has 256 random bits: a fast hash is enough, there is nothing to guess. */
function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Wires the guests. */
export function createGuestService({ db }: { db: Database }): GuestService {
  return {
    async create(tx) {
      const guest = { id: uuid(), token: randomBytes(32).toString('base64url') };
      await tx.query(insert, [guest.id, hash(guest.token)]);
      return guest;
    },
    async find(token) {
      if (!TOKEN.test(token)) return null;
      const [row] = await db.query<{ id: string }>(find, [hash(token)]);
      return row?.id ?? null;
    },
  };
}

import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Database, Statement, Transaction } from '../../infra/database.ts';
import { readSignedId, signId } from '../../infra/signed-id.ts';
import { createSigner } from '../../infra/signer.ts';

/** A guest with the token that names it. */
export interface NamedGuest {
  id: string;
  token: string;
}

/** What a token says. */
export interface FoundGuest {
  id: string;
  /** The guest has no row yet: it was offered a token, and has not put anything in a cart. */
  isNew: boolean;
}

/** People who buy without an account. A token that the server made names each; the database keeps only its hash. */
export interface GuestService {
  /** A new guest, whose row is there once the transaction commits. */
  create(tx: Transaction): Promise<NamedGuest>;
  /**
   * A name for a visitor who has done nothing yet, so that a subscription can begin before there is a cart. Nothing is
   * written: the token is signed, and `enlist` writes the row when the visitor first needs one.
   */
  offer(): NamedGuest;
  /** Writes the row of a guest who was offered a name. Two requests may do so at once. */
  enlist(tx: Transaction, guest: NamedGuest): Promise<void>;
  /** The guest that a token names; null where the shop made no such token, or has replaced it since. */
  find(token: string): Promise<FoundGuest | null>;
}

const RANDOM_TOKEN = /^[\w-]{43}$/;
const PURPOSE = 'guest';

const insert: Statement = { name: 'guest_insert', text: 'INSERT INTO guests (id, token_hash) VALUES ($1, $2)' };
const enlist: Statement = {
  name: 'guest_enlist',
  text: 'INSERT INTO guests (id, token_hash) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
};
const find: Statement = { name: 'guest_find', text: 'SELECT id FROM guests WHERE token_hash = $1' };
const isCurrent: Statement = {
  name: 'guest_is_current',
  text: 'SELECT token_hash = $2 AS "isCurrent" FROM guests WHERE id = $1',
};

/** A token has 256 bits that cannot be guessed: a fast hash is enough. */
function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Wires the guests.
 * @param deps.secrets sign the tokens that are offered: the first signs, all are accepted
 */
export function createGuestService({ db, secrets }: { db: Database; secrets: readonly string[] }): GuestService {
  const signer = createSigner(secrets);

  return {
    async create(tx) {
      const guest = { id: uuid(), token: randomBytes(32).toString('base64url') };
      await tx.query(insert, [guest.id, hash(guest.token)]);
      return guest;
    },

    offer() {
      const id = uuid();
      return { id, token: signId(signer, PURPOSE, id) };
    },

    async enlist(tx, { id, token }) {
      await tx.query(enlist, [id, hash(token)]);
    },

    async find(token) {
      if (RANDOM_TOKEN.test(token)) {
        const [row] = await db.query<{ id: string }>(find, [hash(token)]);
        return row === undefined ? null : { id: row.id, isNew: false };
      }
      const id = readSignedId(signer, PURPOSE, token);
      if (id === null) return null;
      const [row] = await db.query<{ isCurrent: boolean }>(isCurrent, [id, hash(token)]);
      if (row === undefined) return { id, isNew: true };
      // The guest may have been given another token since.
      return row.isCurrent ? { id, isNew: false } : null;
    },
  };
}

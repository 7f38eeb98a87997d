import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import type { Database, Queryable, Statement, Transaction } from '../../infra/postgres/database.ts';
import { createCombiner, SHARED_READ } from '../../infra/combiner.ts';
import { together } from '../../infra/postgres/together.ts';
import { readSignedId, signId } from '../../infra/signed-id.ts';
import { createSigner } from '../../infra/signer.ts';
import { refuse } from '../user-error.ts';
import { credentialsReplaced } from './session.events.ts';

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
  /** What the token named before; null where it never named another guest. */
  former: FormerGuest | null;
}

/** The guest that a token named until that guest was given a new one, by a checkout or a payment. */
export interface FormerGuest {
  id: string;
  /** A call whose answer was lost may be sent again with this token. */
  mayRetry: boolean;
  /** So recently that requests which still carry the token were sent before its successor arrived. */
  isJustReplaced: boolean;
}

/** A guest whose token is replaced, because others may know it. */
export type RenewingGuest = NamedGuest & { former: FormerGuest | null };

/** What is done once for a guest whose token is replaced by it. */
export interface RenewingWork<T> {
  /** Looks for what an earlier call with the same key and request has made. @throws Refusal: IDEMPOTENCY_KEY_REUSED */
  findEarlier(guestId: string): Promise<T | null>;
  /** Does it. @returns `at`: the time to write down; null if nothing was done that calls for another token */
  run(guestId: string): Promise<{ value: T; at: Date | null }>;
}

/** What came of it. */
export interface Renewed<T> {
  value: T;
  /** The guest, with the token to hand over; null if the guest has been given yet another token since. */
  guest: NamedGuest | null;
}

/** People who buy without an account. A token that the server made names each; the database keeps only its hash. */
export interface GuestService {
  /** A new guest, whose row is there once the transaction commits. */
  create(tx: Transaction): Promise<NamedGuest>;
  /** A name for a new guest, whose row is still to be written with `insert`. */
  make(): NamedGuest;
  /** Writes the rows of guests that were just made. */
  insert(tx: Transaction, made: readonly NamedGuest[]): Promise<void>;
  /**
   * A guest ID for a new visitor, so that a subscription can begin before there is a cart. Nothing is
   * written: the token is signed, and `enlist` writes the row when the visitor first needs one.
   */
  offer(): NamedGuest;
  /** Writes the row of a guest who was offered a name. Two requests may do so at once. */
  enlist(tx: Queryable, guest: NamedGuest): Promise<void>;
  /** The guest that a token names; null where the shop made no such token, or has replaced it since. */
  find(token: string): Promise<FoundGuest | null>;
  /**
   * Does something for a guest, and gives the guest another token in the same transaction. The guest keeps carts and orders; the old
   * token names a new guest, who has neither. Whatever runs under the old token is ended, on every node. For a day the old token finds
   * the result once more by the same key and the same request, since the answer may have been lost. The guest is locked before any cart.
   * @throws Refusal: IDEMPOTENCY_KEY_REUSED
   */
  renewing<T>(tx: Transaction, guest: RenewingGuest, work: RenewingWork<T>): Promise<Renewed<T>>;
  /**
   * Locks guests whose tokens are to be replaced in a transaction that they share, before any cart. Those that somebody else has are
   * passed over.
   * @returns the ids of those that are locked and that their tokens still name
   */
  lockForRenewal(tx: Transaction, guests: readonly NamedGuest[]): Promise<Set<string>>;
  /**
   * Replaces the tokens of guests that `lockForRenewal` has locked, like `renewing`.
   * @returns the guests with their new tokens, in their order
   */
  renewLocked(tx: Transaction, at: Date, guests: readonly NamedGuest[]): Promise<NamedGuest[]>;
}

const RANDOM_TOKEN = /^[\w-]{43}$/;
const PURPOSE = 'guest';
const SUCCESSOR = 'guest token successor';

const insert: Statement = {
  name: 'guest_insert',
  text: 'INSERT INTO guests (id, token_hash) SELECT * FROM unnest($1::uuid[], $2::bytea[])',
};
// Of two requests that make a guest at the same moment, one may conflict with the other in the index of the token, not that of the id:
// DO NOTHING has to cover both.
const enlist: Statement = {
  name: 'guest_enlist',
  text: 'INSERT INTO guests (id, token_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING',
};
// The successor is derived from the token. A client that has the token and the idempotency key of the call can therefore ask for it
// again, for a day; clients give up sooner than that.
const find: Statement = {
  name: 'guest_find',
  text: `SELECT asked.ordinal::int AS ordinal, g.*
           FROM unnest($1::bytea[], $2::uuid[]) WITH ORDINALITY AS asked(hash, id, ordinal) CROSS JOIN LATERAL (
             SELECT id, token_hash = asked.hash AS "isCurrent", former_id AS "formerId",
                    coalesce(replaced_at > clock_timestamp() - interval '24 hours', false) AS "mayRetry",
                    coalesce(replaced_at > clock_timestamp() - interval '15 seconds', false) AS "isJustReplaced"
               FROM guests WHERE token_hash = asked.hash OR guests.id = asked.id
              ORDER BY token_hash = asked.hash DESC LIMIT 1
           ) AS g`,
};
// The strongest row lock, since the token's hash is a key.
const lockAll: Statement = {
  name: 'guest_lock_all_for_renewal',
  text: `SELECT g.id FROM guests g JOIN unnest($1::uuid[], $2::bytea[]) AS a(id, hash) ON g.id = a.id AND g.token_hash = a.hash
          ORDER BY g.id FOR UPDATE OF g SKIP LOCKED`,
};
const lock: Statement = {
  name: 'guest_lock_for_renewal',
  text: 'SELECT token_hash = $2 AS "isCurrent" FROM guests WHERE id = $1 FOR UPDATE',
};
const renew: Statement = {
  name: 'guest_renew',
  text: `WITH given AS (
           SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::uuid[]) AS g(id, hash, renewed_hash, stale_id)
         ), renewed AS (
           UPDATE guests SET token_hash = given.renewed_hash FROM given
            WHERE guests.id = given.id AND guests.token_hash = given.hash RETURNING given.*
         )
         INSERT INTO guests (id, token_hash, former_id, replaced_at) SELECT stale_id, hash, id, $5 FROM renewed RETURNING id`,
};
const isCurrent: Statement = {
  name: 'guest_is_current',
  text: 'SELECT token_hash = $2 AS "isCurrent" FROM guests WHERE id = $1',
};

interface GuestRow {
  id: string;
  isCurrent: boolean;
  formerId: string | null;
  mayRetry: boolean;
  isJustReplaced: boolean;
}

/** A token has 256 bits that cannot be guessed: a fast hash is enough. */
function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Wires the guests.
 * @param deps.secrets sign the tokens that are offered, and derive successors: the first signs, all are accepted
 */
export function createGuestService(deps: {
  db: Database;
  eventLog: EventLog;
  secrets: readonly string[];
}): GuestService {
  const { db, eventLog, secrets } = deps;
  const signer = createSigner(secrets);
  const signers = secrets.map((secret) => createSigner([secret]));

  // Almost every request asks for its guest: those that come while others are looked up are looked up together.
  const finder = createCombiner<{ hash: Buffer; offeredId: string | null }, GuestRow | undefined>({
    ...SHARED_READ,
    async run(asked) {
      const values = [asked.map((each) => each.hash), asked.map(({ offeredId }) => offeredId)];
      const rows = await db.query<GuestRow & { ordinal: number }>(find, values);
      const byOrdinal = new Map(rows.map((row) => [row.ordinal, row]));
      return asked.map((_each, index) => ({ status: 'fulfilled', value: byOrdinal.get(index + 1) }));
    },
  });
  const make = () => ({ id: uuid(), token: randomBytes(32).toString('base64url') });

  async function insertAll(tx: Transaction, made: readonly NamedGuest[]): Promise<void> {
    await tx.query(insert, [made.map(({ id }) => id), made.map(({ token }) => hash(token))]);
  }

  /** @returns whether the token still names the guest */
  async function lockOne(tx: Transaction, { id, token }: NamedGuest): Promise<boolean> {
    const [row] = await tx.query<{ isCurrent: boolean }>(lock, [id, hash(token)]);
    return row?.isCurrent === true;
  }

  /** The caller has the locks of the guests, which their tokens name. */
  async function renewLocked(tx: Transaction, at: Date, named: readonly NamedGuest[]): Promise<NamedGuest[]> {
    if (named.length === 0) return [];
    const guests = named.map(({ id, token }) => {
      return { id, token, renewed: signer.sign(SUCCESSOR, `${id} ${token}`), staleGuestId: uuid() };
    });
    const [replaced] = await together(
      tx.query(renew, [
        guests.map(({ id }) => id),
        guests.map(({ token }) => hash(token)),
        guests.map(({ renewed }) => hash(renewed)),
        guests.map(({ staleGuestId }) => staleGuestId),
        at,
      ]),
      eventLog.append(
        tx,
        at,
        guests.map(({ id, staleGuestId }) =>
          credentialsReplaced.of(id, { guestId: id, sessionId: null, staleGuestId }),
        ),
      ),
    );
    if (replaced.length < guests.length) throw new Error('a guest has another token under its lock');
    return guests.map(({ id, renewed }) => ({ id, token: renewed }));
  }

  /** The guest with the token that took the place of one, for an answer that was lost; null if there is yet another one by now. */
  async function renewedSince(tx: Transaction, { id, token }: NamedGuest): Promise<NamedGuest | null> {
    for (const candidate of signers.map((each) => each.sign(SUCCESSOR, `${id} ${token}`))) {
      const [row] = await tx.query<{ isCurrent: boolean }>(isCurrent, [id, hash(candidate)]);
      if (row?.isCurrent === true) return { id, token: candidate };
    }
    return null;
  }

  return {
    make,
    insert: insertAll,
    renewLocked,

    async lockForRenewal(tx, guests) {
      if (guests.length === 0) return new Set();
      const values = [guests.map(({ id }) => id), guests.map(({ token }) => hash(token))];
      const rows = await tx.query<{ id: string }>(lockAll, values);
      return new Set(rows.map(({ id }) => id));
    },

    async create(tx) {
      const guest = make();
      await insertAll(tx, [guest]);
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
      const offeredId = readSignedId(signer, PURPOSE, token);
      if (offeredId === null && !RANDOM_TOKEN.test(token)) return null;
      const row = await finder.submit({ hash: hash(token), offeredId });
      if (row === undefined) return offeredId === null ? null : { id: offeredId, isNew: true, former: null };
      if (!row.isCurrent) return null;
      const { id, formerId, mayRetry, isJustReplaced } = row;
      return { id, isNew: false, former: formerId === null ? null : { id: formerId, mayRetry, isJustReplaced } };
    },

    async renewing(tx, guest, { findEarlier, run }) {
      const { id, token, former } = guest;
      const repeated = former === null ? null : await findEarlier(former.id);
      if (repeated !== null && former !== null) {
        if (!former.mayRetry) {
          const message = 'The idempotency key was used for an order to which this cart token no longer gives access.';
          refuse('IDEMPOTENCY_KEY_REUSED', message, ['idempotencyKey']);
        }
        return { value: repeated, guest: await renewedSince(tx, { id: former.id, token }) };
      }
      const wasCurrent = await lockOne(tx, guest);
      const { value, at } = await run(id);
      // Another request with the same token has bought meanwhile, and the answer to that one has the new token, too.
      if (!wasCurrent) return { value, guest: await renewedSince(tx, guest) };
      const [renewed = guest] = at === null ? [] : await renewLocked(tx, at, [guest]);
      return { value, guest: { id: renewed.id, token: renewed.token } };
    },
  };
}

import { createHash } from 'node:crypto';
import type { Database, Queryable, Statement } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';

/*
 * A log knows the database that it lives in. A copy of a database, or a backup that was restored elsewhere, brings along the
 * log's epoch: cursors of the original would be taken for its own once it has grown as far, and it would share the channel and
 * the queues of the original in Redis. So a log that finds itself in another database takes a new epoch at the start.
 */

/** A place that a log lives in, and the epoch that it has there. */
export interface LogHome {
  epoch: string;
  /** Names the database in Redis: eight characters. */
  home: string;
}

/** The cluster, by what initdb gave it, and in it the database, by name and by what CREATE DATABASE gave it. */
const DATABASE = `
  SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), oid, datname) AS database
    FROM pg_database WHERE datname = current_database()`;
const identify: Statement = { name: 'log_home_identify', text: DATABASE };
/** Where the role may not ask for the cluster. */
const identifyWithin: Statement = {
  name: 'log_home_identify_within',
  text: `SELECT concat_ws('/', oid, datname) AS database FROM pg_database WHERE datname = current_database()`,
};
const INSUFFICIENT_PRIVILEGE = '42501';

const read: Statement = { name: 'log_home_read', text: 'SELECT epoch, home FROM event_sequence' };
const lock: Statement = { name: 'log_home_lock', text: 'SELECT epoch, home FROM event_sequence FOR NO KEY UPDATE' };
const settle: Statement = { name: 'log_home_settle', text: 'UPDATE event_sequence SET home = $1' };

/** Consumers go on from their places, which are in this log still. One that is at work is cut off by its fence. */
const renew: Statement = {
  name: 'log_home_renew',
  text: `
WITH former AS (
  SELECT epoch FROM event_sequence
), log AS (
  UPDATE event_sequence SET home = $1, epoch = encode(substring(uuid_send(gen_random_uuid()) from 1 for 8), 'hex') RETURNING epoch
), consumers AS (
  UPDATE event_consumers SET epoch = log.epoch, fence = fence + 1, lease_owner = NULL, lease_until = NULL
    FROM log, former WHERE event_consumers.epoch = former.epoch
), parked AS (
  UPDATE parked_events SET epoch = log.epoch FROM log, former WHERE parked_events.epoch = former.epoch
)
SELECT epoch FROM log`,
};

/**
 * Looks whether the log is in the database that it was last in, and gives it a new epoch where it is not. To be called at the
 * start, before anything of the log is used.
 */
export async function settleLogHome(db: Database, logger: Logger): Promise<LogHome> {
  const database = await findDatabaseName(db);
  const [seen] = await db.query<{ epoch: string; home: string | null }>(read);
  if (seen?.home === database) return { epoch: seen.epoch, home: hash(database) };
  return db.transaction(async (tx) => {
    const [row] = await tx.query<{ epoch: string; home: string | null }>(lock);
    if (row === undefined) throw new Error('event_sequence has no row: the database is not migrated');
    if (row.home === database) return { epoch: row.epoch, home: hash(database) };
    if (row.home === null) {
      await tx.query(settle, [database]);
      return { epoch: row.epoch, home: hash(database) };
    }
    const [renewed] = await tx.query<{ epoch: string }>(renew, [database]);
    logger.warn(
      { from: row.home, to: database },
      'the database is a copy or was restored; the event log gets a new epoch, which invalidates earlier cursors',
    );
    return { epoch: renewed?.epoch ?? '', home: hash(database) };
  });
}

/** Gives the log a new epoch, whatever database it is in: after a restore that the start cannot recognise. */
export async function renewLog(db: Database): Promise<LogHome> {
  const database = await findDatabaseName(db);
  return db.transaction(async (tx) => {
    await tx.query(lock);
    const [renewed] = await tx.query<{ epoch: string }>(renew, [database]);
    return { epoch: renewed?.epoch ?? '', home: hash(database) };
  });
}

/**
 * The name of a shop in Redis: of its log and its database. In braces, so that a cluster keeps all keys that begin with it in
 * one slot.
 */
export function redisName({ epoch, home }: LogHome): string {
  return `{${epoch}-${home}}`;
}

async function findDatabaseName(db: Queryable): Promise<string> {
  try {
    return (await db.query<{ database: string }>(identify))[0]?.database ?? '';
  } catch (error) {
    if ((error as { code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    return (await db.query<{ database: string }>(identifyWithin))[0]?.database ?? '';
  }
}

function hash(database: string): string {
  return createHash('sha256').update(database).digest('hex').slice(0, 8);
}

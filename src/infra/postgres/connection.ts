import pg from 'pg';

/*
 * Every connection to PostgreSQL is made here, so that each of them has an error listener for its whole life, notices a
 * server that went silent, and has the settings that the shop's statements and their results depend on.
 */

/** How connections reach PostgreSQL, and the schema that they work in. */
export interface Session {
  /**
   * `none`: straight to the server. `session`: through a pooler that keeps one server connection for one client.
   * `transaction`: through a pooler that gives each transaction any server connection, so that nothing lasts longer than a
   * transaction: no named statements, no settings.
   */
  pooler: 'none' | 'session' | 'transaction';
  /** The schema of the shop's tables first, then those of the extensions. Null: whatever the server has as a default. */
  searchPath: readonly string[] | null;
}

export const DIRECT: Session = { pooler: 'none', searchPath: null };

/** Time limits of a connection in milliseconds; 0 is none. */
export interface TimeLimits {
  /** For connecting, including the wait for a free connection of a pool. */
  connect: number;
  /** For one statement, by the server. */
  statement: number;
  /** For one lock, by the server. */
  lock: number;
  /** For an open transaction without a statement, by the server. */
  idleInTransaction: number;
  /** For any answer to a statement: after that the connection counts as dead. Longer than `statement`. */
  silence: number;
}

export const TIME_LIMITS: TimeLimits = {
  connect: 30_000,
  statement: 30_000,
  lock: 3_000,
  // An abandoned transaction would hold its locks, and keep dead rows from being vacuumed.
  idleInTransaction: 15_000,
  silence: 35_000,
};

/** For work that may take as long as it takes, such as a migration. */
export const PATIENT: TimeLimits = { connect: 30_000, statement: 0, lock: 0, idleInTransaction: 0, silence: 0 };

/** Settings that PgBouncer and its like keep for each client, also where a transaction may run on any server connection. */
const TRACKED = { TimeZone: 'UTC', DateStyle: 'ISO, MDY', standard_conforming_strings: 'on' } as const;

/**
 * Settings that change what a statement means or how its result is written. A role or a database may have others.
 * (`client_encoding` is sent by `pg` itself.) Neither `default_transaction_read_only` nor `synchronous_commit` is among
 * them: an operator, or a platform whose disk is full, sets them on purpose.
 */
const MEANING = {
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  transform_null_equals: 'off',
  default_transaction_isolation: 'read committed',
} as const;

/** The settings that a connection through a transaction pooler must have by itself, by name. */
export const NEEDED_BEHIND_POOLER: Readonly<Record<string, string>> = MEANING;

/** A dead peer is noticed after this long without traffic, and the probes that the system sends then. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/**
 * When PostgreSQL asks whether its client is still there, in seconds: it ends a session 90 s after the client vanished without a
 * word, as behind a firewall that forgot the connection. By default it keeps the session, its locks and its place among
 * `max_connections` for two hours. Over a Unix socket these settings have no effect.
 */
const SERVER_KEEP_ALIVE = {
  tcp_keepalives_idle: '60',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
} as const;

/** What of `pg.Client` its types leave out. */
export interface Internals {
  connection: {
    stream: { destroy(error?: Error): void; cork(): void; uncork(): void };
    on(event: 'readyForQuery', listener: () => void): void;
  };
  getStartupConf(): Record<string, string>;
}

/** Written as an option of a search path. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function settingsFor(session: Session, limits: TimeLimits): Record<string, string> {
  return {
    ...MEANING,
    ...SERVER_KEEP_ALIVE,
    // A NOTICE is for people at a terminal.
    client_min_messages: 'warning',
    statement_timeout: String(limits.statement),
    lock_timeout: String(limits.lock),
    idle_in_transaction_session_timeout: String(limits.idleInTransaction),
    idle_session_timeout: '0',
    ...(session.searchPath === null ? {} : { search_path: session.searchPath.map(quoteIdentifier).join(', ') }),
  };
}

export interface ConnectionOptions {
  connectionString: string;
  /** By default straight to the server. */
  session?: Session | undefined;
  /** By default `TIME_LIMITS`. */
  limits?: TimeLimits | undefined;
  /** Shown in `pg_stat_activity`. */
  name: string;
  types?: pg.CustomTypesConfig | undefined;
}

/** A connection as the shop uses it. */
export class Connection extends pg.Client {
  readonly #onSilent: () => void;
  readonly #silenceMs: number;
  readonly #keepsStatements: boolean;
  #watch: NodeJS.Timeout | undefined;

  /** @param onSilent called where the server did not answer in time, before the connection is closed */
  constructor(options: ConnectionOptions, onSilent: () => void = () => {}) {
    const { connectionString, session = DIRECT, limits = TIME_LIMITS, name, types } = options;
    super({
      connectionString,
      application_name: name,
      ...(types === undefined ? {} : { types }),
      connectionTimeoutMillis: limits.connect,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      // Statements that are sent one after the other without waiting share a round trip. (Unknown to the types.)
      ...{ pipeline: true },
    });
    this.#onSilent = onSilent;
    this.#silenceMs = limits.silence;
    this.#keepsStatements = session.pooler !== 'transaction';
    // An answer and the end of the connection may arrive in one read, before anybody who is handed the connection can
    // listen; an error without a listener would end the process. The next statement fails, and that is heard.
    this.on('error', () => {});
    const internals = this as unknown as Internals;
    const startup = internals.getStartupConf.bind(this);
    // Settings of the start-up packet cost no round trip; those of the role and the database come after them in rank.
    internals.getStartupConf = () => ({
      ...startup(),
      ...TRACKED,
      ...(session.pooler === 'none' ? settingsFor(session, limits) : {}),
    });
    if (this.#silenceMs === 0) return;
    internals.connection.on('readyForQuery', () => this.#watch?.refresh());
    this.on('drain', () => this.#unwatch());
    this.on('end', () => this.#unwatch());
  }

  // `pg` has a dozen overloads; all of them end up here.
  override query(...given: unknown[]): never {
    if (this.#silenceMs > 0) {
      this.#watch ??= setTimeout(() => this.#giveUp(), this.#silenceMs).unref();
    }
    const [first, ...rest] = given;
    const statement =
      !this.#keepsStatements && typeof first === 'object' && first !== null && 'name' in first
        ? { ...first, name: undefined }
        : first;
    // What is sent in one go becomes one system call, which costs more than most statements.
    const { stream } = (this as unknown as Internals).connection;
    stream.cork();
    process.nextTick(() => stream.uncork());
    return (super.query as (...args: unknown[]) => never).call(this, statement, ...rest);
  }

  #unwatch(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  /** The system retransmits data for a quarter of an hour before it reports that the other side is gone. */
  #giveUp(): void {
    this.#watch = undefined;
    const error = new Error(`no answer from the database within ${this.#silenceMs} ms`);
    this.#onSilent();
    (this as unknown as Internals).connection.stream.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  }
}

/** Opens a connection of its own. The caller ends it. */
export async function connect(options: ConnectionOptions): Promise<pg.Client> {
  const client = new Connection(options);
  try {
    await client.connect();
    await prepare(client, options);
    return client;
  } catch (error) {
    // The other side may be gone.
    void client.end().catch(() => {});
    throw error;
  }
}

/** Poolers refuse most settings in the start-up packet; one that keeps the server connection takes them by statement. */
export async function prepare(
  client: pg.ClientBase,
  { session = DIRECT, limits = TIME_LIMITS }: ConnectionOptions,
): Promise<void> {
  if (session.pooler !== 'session') return;
  const settings = Object.entries(settingsFor(session, limits));
  await client.query(
    settings.map(([name, value]) => `SET ${name} = ${name === 'search_path' ? value : `'${value}'`}`).join('; '),
  );
}

/**
 * How a transaction begins: one message, so that settings of the transaction cost no round trip. Whatever the role has as
 * its default, the shop's transactions are READ COMMITTED.
 */
export function beginWith({ pooler }: Session, limits: TimeLimits): string {
  if (pooler !== 'transaction') return 'BEGIN';
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    `SET LOCAL statement_timeout = ${limits.statement}`,
    `SET LOCAL lock_timeout = ${limits.lock}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${limits.idleInTransaction}`,
  ].join('; ');
}

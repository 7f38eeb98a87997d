import { PrismaPg } from '@prisma/adapter-pg';
import { DriverAdapterError, type SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import type { Logger } from './logger.ts';
import { MigrationError } from './migration-error.ts';
import { toMigrationList, type Migration } from './migration-files.ts';
import { NO_FILTERS, openSchemaEngine } from './schema-engine.ts';

/** Has Prisma's engine apply what is not yet applied, and note it; gives the names. */
export async function applyMigrations(options: {
  connectionString: string;
  logger: Logger;
  migrationsDir: string;
  migrations: readonly Migration[];
}): Promise<string[]> {
  const { connectionString, logger, migrationsDir, migrations } = options;
  // One connection: the engine's own lock is bound to it.
  const pool = new pg.Pool({ connectionString, max: 1, application_name: 'vitrine migrate' });
  pool.on('error', (error) => logger.warn({ err: error }, 'the connection that migrates broke'));
  try {
    const adapter = new MigrationAdapter(pool);
    const engine = await openSchemaEngine(adapter, (message) => logger.warn(message));
    try {
      const migrationsList = toMigrationList(migrationsDir, migrations);
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
      return appliedMigrationNames;
    } catch (error) {
      throw adapter.failure === null ? error : toMigrationError(adapter.failure, migrations);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** A script that PostgreSQL refused, and why. */
interface Failure {
  script: string;
  cause: pg.DatabaseError;
}

/**
 * Sends a script to PostgreSQL whole, as `prisma migrate deploy` does: so it is one transaction. Prisma's own adapter
 * cuts it at every semicolon, also at those within the body of a function.
 */
class MigrationAdapter extends PrismaPg {
  failure: Failure | null = null;
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super(pool);
    this.#pool = pool;
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    const connection = await super.connect();
    const executeScript: SqlDriverAdapter['executeScript'] = async (script) => {
      try {
        await this.#pool.query(script);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error;
        this.failure = { script, cause: error };
        const { code = '', severity = '', message, detail, column, hint } = error;
        // For the `logs` column: the engine asks for this shape.
        throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
      }
    };
    return Object.assign(connection, { executeScript });
  }
}

function toMigrationError({ script, cause }: Failure, migrations: readonly Migration[]): MigrationError {
  const name = migrations.find(({ sql }) => sql === script)?.name ?? '?';
  const before = script.slice(0, Number(cause.position ?? 0));
  const at = cause.position === undefined ? '' : ` at line ${before.split('\n').length}`;
  const more = [cause.detail, cause.hint].filter((line) => line !== undefined).map((line) => `\n  ${line}`);
  return new MigrationError(`Migration ${name} failed${at}: ${cause.message} (${cause.code})${more.join('')}`, {
    cause,
  });
}

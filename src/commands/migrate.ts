import { loadConfig } from '../config/config.ts';
import { startEmbeddedPostgres } from '../infra/embedded-postgres.ts';
import { createLogger } from '../infra/logger.ts';
import { migrate } from '../infra/migrations.ts';
import { endOnSignals } from './end-on-signals.ts';

// npm run migrate: applies the pending migrations.
endOnSignals();
try {
  const { database, log } = loadConfig();
  const logger = createLogger(log);
  const embedded =
    database.kind === 'embedded' ? await startEmbeddedPostgres({ dataDir: database.dataDir, logger }) : null;
  try {
    const connectionString = database.kind === 'url' ? database.url : (embedded?.connectionString ?? '');
    const { applied } = await migrate({ connectionString, logger });
    console.log(
      applied.length === 0
        ? 'The database is up to date.'
        : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
    );
  } finally {
    await embedded?.dispose();
  }
} catch (error) {
  // (A refused connection to localhost is an error without a message.)
  console.error(error instanceof Error && error.message !== '' ? error.message : error);
  process.exitCode = 1;
}

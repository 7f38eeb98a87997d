import { loadConfig } from '../config/config.ts';
import { findDatabase } from '../infra/postgres/database-place.ts';
import { Disposals } from '../infra/disposals.ts';
import { createLogger } from '../infra/logger.ts';
import { migrate } from '../infra/migrations/migrations.ts';
import { endOnSignals } from './end-on-signals.ts';

// npm run migrate: applies the pending migrations.
endOnSignals();
try {
  const config = loadConfig();
  const logger = createLogger(config.log);
  const disposals = new Disposals(logger);
  try {
    const place = await findDatabase(config, logger, disposals);
    const { applied } = await migrate({ ...place.direct, logger });
    console.log(
      applied.length === 0
        ? 'The database is up to date.'
        : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
    );
  } finally {
    await disposals.run();
  }
} catch (error) {
  // (A refused connection to localhost is an error without a message.)
  console.error(error instanceof Error && error.message !== '' ? error.message : error);
  process.exitCode = 1;
}

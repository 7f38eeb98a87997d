import { findDatabase } from '../infra/postgres/database-place.ts';
import { Disposals } from '../infra/disposals.ts';
import { createLogger } from '../infra/logger.ts';
import { migrate } from '../infra/migrations/migrations.ts';
import { loadConfig } from '../config/config.ts';
import { defineCommand, print, runIfMain } from './command.ts';

const USAGE = `Usage: npm run migrate

Applies the pending migrations to the database. Every start of the shop does so, too.`;

export const migrateDatabase = defineCommand({
  usage: USAGE,
  failure: 1,
  isExplained: () => true,
  async run(_given, { env, stdout }) {
    const config = loadConfig(env);
    // Migrations may take long: the log says how far they are.
    const logger = createLogger(config.log, 2);
    const disposals = new Disposals(logger);
    try {
      const place = await findDatabase(config, logger, disposals);
      const { applied } = await migrate({ ...place.direct, logger });
      print(
        stdout,
        applied.length === 0
          ? 'The database is up to date.'
          : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
      );
    } finally {
      await disposals.run();
    }
  },
});

await runIfMain(import.meta.url, migrateDatabase);

import { ConfigError } from '../config/config.ts';
import { renewLog } from '../events/log-home.ts';
import { withDatabase } from './with-database.ts';

// `npm run db:restored` gives the event log a new epoch, after a backup was restored over the same database.

try {
  await withDatabase(async (db, { data }) => {
    const { epoch } = await renewLog(db);
    console.log(
      `The event log has a new epoch, ${epoch} (${data}). Subscribers with older cursors run their queries again.`,
    );
    console.log('Start the shop.');
  });
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}

import { renewLog } from '../events/log-home.ts';
import { defineCommand, print, runIfMain } from './command.ts';
import { withDatabase } from './with-database.ts';

const USAGE = `Usage: npm run db:restored

Gives the event log a new epoch, after a backup was restored over the same database. Subscribers with older cursors then run their
queries again, instead of missing events. Stop all processes of the shop first.`;

export const dbRestored = defineCommand({
  usage: USAGE,
  failure: 1,
  async run(_given, context) {
    await withDatabase(context, async (db, { data }) => {
      const { epoch } = await renewLog(db);
      print(
        context.stdout,
        `The event log has a new epoch, ${epoch} (${data}). Subscribers with older cursors run their queries again.\nStart the shop.`,
      );
    });
  },
});

await runIfMain(import.meta.url, dbRestored);

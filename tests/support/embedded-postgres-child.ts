import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';

// A process that uses the embedded PostgreSQL of the given folder until it receives a message to leave.
export type Answer = { connectionString: string; attached: boolean } | { error: string } | 'left';

const answer = (message: Answer) => process.send?.(message);
process.once('disconnect', () => process.exit(1)); // the test that it belonged to is gone

try {
  const dataDir = process.argv[2] ?? '';
  const server = await startEmbeddedPostgres({
    dataDir,
    logger: pino({ level: 'silent' }),
    settings: { fsync: 'off' },
  });
  process.on('message', () => void server.dispose().then(() => answer('left')));
  answer({ connectionString: server.connectionString, attached: server.attached });
} catch (error) {
  answer({ error: error instanceof Error ? error.message : String(error) });
}

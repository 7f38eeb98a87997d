import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
/** The one place that makes connections; and those that look at a server before it is known what to set. */
const MAKERS = new Set([
  'infra/postgres/connection.ts',
  'infra/postgres/connection-pool.ts',
  'infra/postgres/database-inspection.ts',
  'infra/postgres/embedded-postgres.ts',
]);

test('connections to PostgreSQL are made in one place, so that each has its listener, its limits and its settings', () => {
  const makers = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('generated'))
    .filter((path) =>
      /\bnew pg\.(Client|Pool)\b|\bextends pg\.(Client|Pool)\b/.test(readFileSync(join(SRC, path), 'utf8')),
    );
  expect(makers.filter((path) => !MAKERS.has(path))).toEqual([]);
});

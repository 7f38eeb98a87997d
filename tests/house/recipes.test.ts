import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { compile as compileFiles } from '../../scripts/compile.mjs';
import { createTestDatabase } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/** Opens the shop, sends two wishes, and waits until the consumer has seen the one that was accepted. */
const SCRIPT = `
import { pino } from 'pino';
import { createApp } from './src/app.ts';
import { loadConfig } from './src/config/config.ts';
const app = await createApp(loadConfig(), pino({ level: 'silent' }));
const send = async (text) => {
  const query = 'mutation ($text: String!) { wishSend(input: { text: $text }) { length errors { __typename code ... on WishTooLongError { excess } } } }';
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(app.url + '/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables: { text } }) });
  return answer.json();
};
const answers = [await send('more colours'), await send('x'.repeat(150))];
const seen = async () => (await app.db.query({ text: "SELECT 1 FROM event_consumers c JOIN event_log e ON e.seq <= c.seq WHERE c.name = 'wishes' AND e.type = 'wish_sent'" })).length;
while ((await seen()) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
await app.dispose();
console.log(JSON.stringify(answers));
`;

test('a module made by the recipes of docs/ARCHITECTURE.md works, and touches its own folder and one list', async () => {
  const copy = mkdtempSync(join(tmpdir(), 'vitrine-recipes-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true, filter: (path) => !path.endsWith('src/web') });
  for (const name of ['node_modules', 'prisma']) symlinkSync(join(ROOT, name), join(copy, name));
  cpSync(join(ROOT, 'scripts'), join(copy, 'scripts'), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(copy, name));

  const page = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
  const files = [...page.matchAll(/^```ts title=(\S+)\n(.*?)^```$/gms)];
  expect(files.length).toBeGreaterThan(4);
  for (const [, path = '', text = ''] of files) {
    expect(dirname(path)).toBe('src/modules/wishes');
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
  const list = join(copy, 'src/modules/modules.ts');
  const listed = readFileSync(list, 'utf8')
    .replace(/^import/, "import { wishesModule } from './wishes/wishes.module.ts';\nimport")
    .replace(/,\n\];\n$/, ',\n  wishesModule,\n];\n');
  writeFileSync(list, listed);
  writeFileSync(join(copy, 'try.ts'), SCRIPT);

  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const env = {
    ...{
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      SEED: 'none',
      WEB: 'off',
      DATABASE_URL: database.url,
    },
    ...{ DATA_DIR: join(copy, '.data'), JWT_SECRET: 'a secret of tests that is long enough' },
  };
  // Compiled, as an install does it: half the work of running the sources through tsx.
  const { compile } = (await import(join(copy, 'scripts/compile.mjs'))) as { compile: typeof compileFiles };
  await compile({ entries: ['try.ts'], folder: join(copy, 'compiled') });
  const { stdout } = await run(process.execPath, ['compiled/try.mjs'], { cwd: copy, env });
  expect(JSON.parse(stdout)).toEqual([
    { data: { wishSend: { length: 12, errors: [] } } },
    {
      data: {
        wishSend: { length: null, errors: [{ __typename: 'WishTooLongError', code: 'CONFLICT', excess: 10 }] },
      },
    },
  ]);
  expect(readdirSync(join(copy, 'src/modules/wishes'))).toHaveLength(files.length);
});

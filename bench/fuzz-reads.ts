import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createApp, type App } from '../src/app.ts';
import { openScratch, scratchConfig } from './audit/scratch.ts';
import { fuzzReads } from './fuzz-reads/run.ts';
import { ADMIN } from './own-shop.ts';
import { startRedis } from './torture-events/redis.ts';

/*
 * npm run fuzz:reads -- --reads 100000 --seed 7: reads from two nodes that keep answers in memory, while both of them write, and
 * compares every answer with the log, and with those of a node that keeps none. Uses Redis where there is a redis-server.
 */

const { values } = parseArgs({
  options: {
    reads: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  },
});
const [reads, seed] = [Number(values.reads), Number(values.seed)];
if (![reads, seed].every((value) => Number.isSafeInteger(value) && value > 0)) {
  console.error('--reads and --seed are whole numbers.');
  process.exit(2);
}

const scratch = await openScratch();
const folder = mkdtempSync(join(tmpdir(), 'vitrine-fuzz-reads-'));
chmodSync(folder, 0o711);
const redis = await startRedis(folder);

const apps: App[] = [];
async function openNode(cacheMegabytes: number): Promise<App> {
  const config = scratchConfig(scratch, folder, {
    BCRYPT_COST: '4',
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    READ_CACHE_MB: String(cacheMegabytes),
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
  });
  const app = await createApp(config, pino({ level: 'error' }), { quiet: true });
  apps.push(app);
  return app;
}

async function logIn(url: string): Promise<Record<string, string>> {
  const query = `mutation { login(input: { email: "${ADMIN.email}", password: "${ADMIN.password}", tokens: BODY }) { accessToken } }`;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: { login: { accessToken: string } } };
  return { authorization: `Bearer ${data.login.accessToken}` };
}

let wrong: string[];
const began = performance.now();
try {
  // One of them so small that answers are evicted all the time.
  const nodes = [await openNode(64), await openNode(1)];
  const plain = await openNode(0);
  let reported = 0;
  wrong = await fuzzReads({
    nodes,
    plain,
    seed,
    reads,
    logIn: () => logIn(plain.url),
    onProgress(done) {
      if (done - reported < 5000) return;
      reported = done;
      console.log(`${done} of ${reads} reads`);
    },
  });
} finally {
  for (const app of apps) await app.dispose();
  await redis?.kill();
  rmSync(folder, { recursive: true, force: true });
  await scratch.dispose();
}
for (const what of wrong) console.log(what.slice(0, 2000));
const seconds = Math.round((performance.now() - began) / 1000);
const verdict = `${wrong.length} wrong answers in ${seconds} s, ${redis === null ? 'without' : 'with'} Redis`;
console.log(`seed ${seed}: ${reads} reads, ${verdict} → ${wrong.length === 0 ? 'PASS' : 'FAIL'}`);
process.exit(wrong.length === 0 ? 0 : 1);

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { openScratch, scratchConfig } from './audit/scratch.ts';
import { fillOrders, fillProducts } from './lists/fill.ts';
import { cases, type ListCase } from './lists/cases.ts';

// `npm run bench:lists`: what a thousand times as many products and orders do to the time that requests take. See README.md.

const MOST = 3;
/** Below this difference in milliseconds a ratio says more about the machine than about the shop. */
const NOISE_MS = 2;

const { values } = parseArgs({
  options: { products: { type: 'string', default: '200000' }, runs: { type: 'string', default: '15' } },
});
const [products, runs] = [Number(values.products), Number(values.runs)];
const ADMIN = { email: 'bench@example.com', password: 'a long enough password' };

/** The median of each case's times, in milliseconds, in a shop of this size. */
async function measure(size: number): Promise<Map<string, number>> {
  const scratch = await openScratch();
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-lists-'));
  try {
    // The shop's own connections give a statement up that takes half a minute.
    const client = new pg.Client({ connectionString: scratch.connectionString });
    await client.connect();
    await client.query('SET statement_timeout = 0; SET synchronous_commit = off');
    console.log(`filling: ${size} products, ${Math.ceil(size / 2)} orders`);
    await fillProducts(client, size);
    await fillOrders(client, Math.ceil(size / 2));
    await client.query('VACUUM ANALYZE');
    await client.end();
    // What is measured is the database, and each request is sent again and again.
    const env = { READ_CACHE_MB: '0', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };
    const config = scratchConfig(scratch, folder, env);
    const app = await createApp(config, pino({ level: 'silent' }));
    try {
      return await timesOf(app.url, size);
    } finally {
      await app.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await scratch.dispose();
  }
}

async function send(url: string, query: string, headers: Record<string, string>): Promise<{ data: unknown }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const answer = (await response.json()) as { data: unknown; errors?: unknown };
  if (answer.errors !== undefined) throw new Error(`${query}: ${JSON.stringify(answer.errors)}`);
  return answer;
}

async function timesOf(url: string, size: number): Promise<Map<string, number>> {
  const login = `mutation { login(input: { email: "${ADMIN.email}", password: "${ADMIN.password}", tokens: BODY }) { accessToken } }`;
  const { data } = (await send(url, login, {})) as { data: { login: { accessToken: string } } };
  const staff = { authorization: `Bearer ${data.login.accessToken}` };
  const medians = new Map<string, number>();
  for (const one of cases) medians.set(one.name, await medianOf(one, url, size, staff));
  return medians;
}

async function medianOf(one: ListCase, url: string, size: number, staff: Record<string, string>): Promise<number> {
  const times: number[] = [];
  // The first few warm up caches and connections.
  for (let run = -5; run < runs; run += 1) {
    const began = performance.now();
    await send(url, one.query(run + 5, size), one.staff === true ? staff : {});
    if (run >= 0) times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

const small = await measure(Math.max(Math.round(products / 1000), 20));
const large = await measure(products);
let failed = 0;
console.log(`\n${'request'.padEnd(46)}${'small'.padStart(9)}${'large'.padStart(9)}${'ratio'.padStart(8)}`);
for (const [name, before] of small) {
  const after = large.get(name) ?? Number.NaN;
  const bad = after / before > MOST && after - before > NOISE_MS;
  if (bad) failed += 1;
  console.log(
    `${name.padEnd(46)}${before.toFixed(1).padStart(9)}${after.toFixed(1).padStart(9)}${(after / before).toFixed(1).padStart(8)}${bad ? '  too slow' : ''}`,
  );
}
console.log(
  failed === 0
    ? `\nNothing takes more than ${MOST} times as long.`
    : `\n${failed} requests take more than ${MOST} times as long.`,
);
process.exitCode = failed === 0 ? 0 : 1;

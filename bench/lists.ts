import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { encodeCursor } from '../src/graphql/schema/connection.ts';
import { openScratch, scratchConfig } from './audit/scratch.ts';
import { machineOf } from './bench/report.ts';
import { writePart } from './benchmarks-page.ts';
import { fillOrders, fillProducts, fillUsers, giveOrders } from './lists/fill.ts';
import { cases, type Deep, type ListCase } from './lists/cases.ts';
import { argumentsOf, UsageError } from './options.ts';

// `npm run bench:lists`: what a thousand times as many products and orders do to the time that requests take. See README.md.

const USAGE = `What a thousand times as many products and orders do to the time that requests take.

  npm run bench:lists -- [--products 200000] [--runs 15] [--case TEXT] [--write]

  --products  products, and as many orders, in the large shop; a tenth of as many customers (20000 to 10000000)
  --runs      of each request (1 to 1000); their median counts
  --case      only requests whose name contains the text
  --write     write this part of docs/benchmarks.md

Exit code: 0 no request takes more than three times as long; 1 one does; 2 wrong arguments.`;

const MOST = 3;
/** Below this difference in milliseconds a ratio says more about the machine than about the shop. */
const NOISE_MS = 2;
const ADMIN = { email: 'bench@example.com', password: 'a long enough password' };

interface Options {
  runs: number;
  wanted: readonly ListCase[];
}

/** The median of each case's times, in milliseconds, in a shop of this size. */
async function measure(size: number, options: Options): Promise<Map<string, number>> {
  const scratch = await openScratch();
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-lists-'));
  // The shop's own connections give a statement up that takes half a minute.
  const client = new pg.Client({ connectionString: scratch.connectionString });
  const began = performance.now();
  const tell = (what: string) =>
    console.log(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);
  try {
    await client.connect();
    await client.query('SET statement_timeout = 0; SET synchronous_commit = off');
    // Without triggers, foreign keys among them: all that they check is so.
    await client.query('SET session_replication_role = replica');
    tell(`${size} products`);
    await fillProducts(client, size);
    tell(`${size} orders`);
    await fillOrders(client, size);
    await fillUsers(client, Math.ceil(size / 10));
    await client.query('SET session_replication_role = origin');
    tell('VACUUM ANALYZE');
    await client.query('VACUUM ANALYZE');
    // What is measured is the database, and each request is sent again and again.
    const env = { READ_CACHE_MB: '0', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };
    const config = scratchConfig(scratch, folder, env);
    const app = await createApp(config, pino({ level: 'silent' }));
    try {
      await giveOrders(client, ADMIN.email);
      tell('requests');
      return await timesOf(app.url, size, await findDeep(client, size), options);
    } finally {
      await app.dispose();
    }
  } finally {
    await client.end();
    rmSync(folder, { recursive: true, force: true });
    await scratch.dispose();
  }
}

async function findDeep(client: pg.Client, size: number): Promise<Deep> {
  const offset = Math.floor(0.9 * size);
  const cursorOf = async (list: string, column: string, rest: string) => {
    const { rows } = await client.query<{ value: string; id: string }>(
      `SELECT ${column}::text AS value, id FROM ${rest} OFFSET ${offset} LIMIT 1`,
    );
    return encodeCursor({ list, values: [] }, [rows[0]?.value ?? '', rows[0]?.id ?? '']);
  };
  const active = `products WHERE status = 'ACTIVE' ORDER BY`;
  return {
    products: await cursorOf('products.NEWEST', 'created_at', `${active} created_at DESC, id DESC`),
    productsByTitle: await cursorOf('products.TITLE', 'sort_title', `${active} sort_title, id`),
    orders: await cursorOf('orders', 'placed_at', 'orders ORDER BY placed_at DESC, id DESC'),
  };
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

async function timesOf(url: string, size: number, deep: Deep, { runs, wanted }: Options): Promise<Map<string, number>> {
  const login = `mutation { login(input: { email: "${ADMIN.email}", password: "${ADMIN.password}", tokens: BODY }) { accessToken } }`;
  const { data } = (await send(url, login, {})) as { data: { login: { accessToken: string } } };
  const staff = { authorization: `Bearer ${data.login.accessToken}` };
  const medians = new Map<string, number>();
  for (const one of wanted) {
    const times: number[] = [];
    // The first few warm up caches and connections.
    for (let run = -5; run < runs; run += 1) {
      const began = performance.now();
      await send(url, one.query(run + 5, size, deep), one.staff === true ? staff : {});
      if (run >= 0) times.push(performance.now() - began);
    }
    medians.set(one.name, times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0);
  }
  return medians;
}

function part(small: ReadonlyMap<string, number>, large: ReadonlyMap<string, number>, products: number): string {
  const rows = [...small].map(([name, before]) => {
    const after = large.get(name) ?? Number.NaN;
    return `| ${name} | ${before.toFixed(1)} | ${after.toFixed(1)} | ${(after / before).toFixed(1)} |`;
  });
  return `## Requests of a large shop

Written by \`npm run bench:lists -- --products ${products} --write\`: a shop with ${products.toLocaleString('en')} products and as many orders, beside one with
a thousandth of both; answers from memory are off. Medians, in milliseconds, on ${machineOf()}.

| request | a thousandth | all | ratio |
| --- | ---: | ---: | ---: |
${rows.join('\n')}
`;
}

/** Prints the figures. @returns how many requests take too long */
function report(small: ReadonlyMap<string, number>, large: ReadonlyMap<string, number>): number {
  let failed = 0;
  console.log(`\n${'milliseconds'.padEnd(50)}${'small'.padStart(9)}${'large'.padStart(9)}${'ratio'.padStart(8)}`);
  for (const [name, before] of small) {
    const after = large.get(name) ?? Number.NaN;
    const bad = after / before > MOST && after - before > NOISE_MS;
    if (bad) failed += 1;
    console.log(
      `${name.padEnd(50)}${before.toFixed(1).padStart(9)}${after.toFixed(1).padStart(9)}${(after / before).toFixed(1).padStart(8)}${bad ? '  too slow' : ''}`,
    );
  }
  console.log(
    failed === 0
      ? `\nNothing takes more than ${MOST} times as long.`
      : `\n${failed} requests take more than ${MOST} times as long.`,
  );
  return failed;
}

const { parse, refuse, wholeNumber } = argumentsOf(USAGE);
try {
  const text = { type: 'string' } as const;
  const values = parse(process.argv.slice(2), {
    products: text,
    runs: text,
    case: text,
    write: { type: 'boolean', default: false },
  });
  const products = wholeNumber('products', values.products, 20_000, 10_000_000) ?? 200_000;
  const runs = wholeNumber('runs', values.runs, 1, 1000) ?? 15;
  const wanted = cases.filter(({ name }) => name.includes(values.case ?? ''));
  if (wanted.length === 0) refuse(`No request has "${values.case}" in its name.`);
  console.log('small');
  const small = await measure(Math.max(Math.round(products / 1000), 20), { runs, wanted });
  console.log('large');
  const large = await measure(products, { runs, wanted });
  process.exitCode = report(small, large) === 0 ? 0 : 1;
  if (values.write) await writePart('lists', part(small, large, products));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

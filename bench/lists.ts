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
import { MOST, verdictOf } from './lists/most.ts';
import { processorClock } from './lists/processor-time.ts';
import { argumentsOf, UsageError } from './options.ts';

// `npm run bench:lists`: what a thousand times as many products and orders do to the time that requests take. See README.md.

const USAGE = `What a thousand times as many products and orders do to the time that requests take.

  npm run bench:lists -- [--products 200000] [--runs 15] [--case TEXT] [--write]

  --products  products, and as many orders, in the large shop; a tenth of as many customers (20000 to 10000000)
  --runs      of each request (1 to 1000); their median counts
  --case      only requests whose name contains the text
  --write     write this part of docs/benchmarks.md

Exit code: 0 no request takes more than three times as long (of processor time, where the system reports it); 1 one does; 2 wrong arguments.`;

/** Below this difference in milliseconds a ratio says more about the machine than about the shop. */
const NOISE_MS = 2;
const WARM_UP = 10;
const ADMIN = { email: 'bench@example.com', password: 'a long enough password' };

/** Medians of a request, in milliseconds. */
interface Times {
  /** From the request to the answer. */
  clock: number;
  /** Processor time; null if the system does not report it. */
  processor: number | null;
}

interface Options {
  runs: number;
  wanted: readonly ListCase[];
}

/** What each request takes in a shop of this size. */
async function measure(size: number, options: Options): Promise<Map<string, Times>> {
  const scratch = await openScratch();
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-lists-'));
  // The shop's own connections give a statement up that takes half a minute.
  const client = new pg.Client({ connectionString: scratch.connectionString });
  const began = performance.now();
  const log = (what: string) =>
    console.log(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);
  try {
    await client.connect();
    await client.query('SET statement_timeout = 0; SET synchronous_commit = off');
    // Without triggers, foreign keys among them: all that they check is so.
    await client.query('SET session_replication_role = replica');
    log(`${size} products`);
    await fillProducts(client, size);
    log(`${size} orders`);
    await fillOrders(client, size);
    await fillUsers(client, Math.ceil(size / 10));
    await client.query('SET session_replication_role = origin');
    log('VACUUM ANALYZE');
    await client.query('VACUUM ANALYZE');
    // What is measured is the database, and each request is sent again and again.
    const env = { READ_CACHE_MB: '0', ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };
    const config = scratchConfig(scratch, folder, env);
    const app = await createApp(config, pino({ level: 'silent' }));
    try {
      await giveOrders(client, ADMIN.email);
      log('requests');
      return await timesOf(app.url, client, size, options);
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

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timesOf(
  url: string,
  client: pg.Client,
  size: number,
  { runs, wanted }: Options,
): Promise<Map<string, Times>> {
  const login = `mutation { login(input: { email: "${ADMIN.email}", password: "${ADMIN.password}", tokens: BODY }) { accessToken } }`;
  const { data } = (await send(url, login, {})) as { data: { login: { accessToken: string } } };
  const staff = { authorization: `Bearer ${data.login.accessToken}` };
  const deep = await findDeep(client, size);
  const processor = processorClock(client);
  let number = 0;
  const sendOne = (one: ListCase) => {
    number += 1;
    return send(url, one.query(number, size, deep), one.staff === true ? staff : {});
  };
  // Code is compiled, and connections are there, before anything is measured.
  for (let round = 0; round < WARM_UP; round += 1) for (const one of wanted) await sendOne(one);
  const medians = new Map<string, Times>();
  for (const one of wanted) {
    const [clocks, processors]: [number[], number[]] = [[], []];
    for (let run = -2; run < runs; run += 1) {
      let clock = 0;
      const used = await processor(async () => {
        const began = performance.now();
        await sendOne(one);
        clock = performance.now() - began;
      });
      if (run < 0) continue;
      clocks.push(clock);
      if (used !== null) processors.push(used);
    }
    medians.set(one.name, { clock: median(clocks), processor: processors.length === 0 ? null : median(processors) });
  }
  return medians;
}

/** Figures of a request in both shops, and whether it takes too long: by processor time where that is known. */
function compare(before: Times, after: Times) {
  const of = (times: Times) => [times.clock, times.processor ?? Number.NaN] as const;
  const [small, large] = [of(before), of(after)];
  const [clock, processor] = [large[0] / small[0], large[1] / small[1]];
  const isKnown = before.processor !== null && after.processor !== null;
  const [ratio, more] = isKnown ? [processor, large[1] - small[1]] : [clock, large[0] - small[0]];
  return { small, large, ratios: [clock, processor] as const, isBad: ratio > MOST && more > NOISE_MS };
}

type Medians = ReadonlyMap<string, Times>;
const compared = (small: Medians, large: Medians) =>
  [...small].map(([name, before]) => ({ name, ...compare(before, large.get(name) ?? before) }));

function part(small: Medians, large: Medians, products: number): string {
  const rows = compared(small, large).map((one) => {
    const cells = [0, 1]
      .flatMap((at) => [one.small[at], one.large[at], one.ratios[at]])
      .map((value) => value?.toFixed(1));
    return `| ${one.name} | ${cells.join(' | ')} |`;
  });
  return `## Requests of a large shop

Written by \`npm run bench:lists -- --products ${products} --write\`: a shop with ${products.toLocaleString('en')} products and as many orders, beside one with
a thousandth of both; answers from memory are off. Medians in milliseconds: by the clock, and of the processor (of the shop's process, which
sends the requests too, and of PostgreSQL), which says the same on a machine that has other work. ${machineOf()}.

| request | clock: a thousandth | all | ratio | processor: a thousandth | all | ratio |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
`;
}

/** Prints the figures. @returns how many requests take too long */
function report(small: Medians, large: Medians): number {
  let failed = 0;
  const columns = (values: readonly (string | number | undefined)[]) =>
    values.map((value) => (typeof value === 'number' ? value.toFixed(1) : (value ?? '')).padStart(9)).join('');
  console.log(`\n${''.padEnd(50)}${'clock'.padStart(27)}${'processor'.padStart(27)}`);
  console.log(`${'milliseconds'.padEnd(50)}${columns(['small', 'large', 'ratio', 'small', 'large', 'ratio'])}`);
  for (const one of compared(small, large)) {
    if (one.isBad) failed += 1;
    const cells = [0, 1].flatMap((at) => [one.small[at], one.large[at], one.ratios[at]]);
    console.log(`${one.name.padEnd(50)}${columns(cells)}${one.isBad ? '  too slow' : ''}`);
  }
  console.log(verdictOf(failed, 'requests'));
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

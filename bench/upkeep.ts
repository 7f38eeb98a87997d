import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { openServices } from '../tests/support/services.ts';
import { openScratch, scratchConfig } from './audit/scratch.ts';
import { machineOf } from './bench/report.ts';
import { writePart } from './benchmarks-page.ts';
import { MOST, verdictOf } from './lists/most.ts';
import { argumentsOf, UsageError } from './options.ts';
import { fillLog } from './replay/fill.ts';
import { fillCarts } from './upkeep/fill.ts';
import { tasks, type Run } from './upkeep/tasks.ts';

// `npm run bench:upkeep`: what a thousand times as many carts, orders and events do to the work behind the scenes. See README.md.

const USAGE = `What a thousand times as many carts, orders and events do to expiry, audits, replay, pruning and retention.

  npm run bench:upkeep -- [--carts 1000000] [--events 2000000] [--task TEXT] [--write]

  --carts   live carts, old carts and orders, so many of each (10000 to 10000000)
  --events  in the log (10000 to 20000000)
  --task    only tasks whose name contains the text
  --write   write this part of docs/benchmarks.md

Exit code: 0 no task takes more than three times as long for each unit of work; 1 one does; 2 wrong arguments.`;

/** Below this difference in milliseconds a ratio says more about the machine than about the shop. */
const NOISE_MS = 2;

interface Size {
  carts: number;
  events: number;
}

/** The middle run of each task, in a database of this size. */
async function measure(size: Size, isWanted: (name: string) => boolean): Promise<Map<string, Run>> {
  const began = performance.now();
  const progress = (what: string) =>
    console.log(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);
  const scratch = await openScratch();
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-upkeep-'));
  const client = new pg.Client({ connectionString: scratch.connectionString });
  const services = openServices(scratch.connectionString);
  try {
    await client.connect();
    await client.query('SET statement_timeout = 0; SET synchronous_commit = off');
    progress(`${size.events} events`);
    const log = await fillLog(scratch.db, size.events);
    await fillCarts(client, size.carts, progress);
    // Nothing may happen by itself: neither consumers nor timers.
    const app = await createApp(scratchConfig(scratch, folder), pino({ level: 'silent' }), { quiet: true });
    try {
      const ground = { client, services, log, url: app.url, carts: size.carts };
      const middles = new Map<string, Run>();
      for (const { name, work } of tasks.filter((task) => isWanted(task.name))) {
        progress(name);
        const runs = (await work(ground)).toSorted((a, b) => a.ms / a.units - b.ms / b.units);
        middles.set(name, runs[Math.floor(runs.length / 2)] ?? { ms: Number.NaN, units: 1 });
      }
      return middles;
    } finally {
      await app.dispose();
    }
  } finally {
    await services.dispose();
    await client.end();
    rmSync(folder, { recursive: true, force: true });
    await scratch.dispose();
  }
}

function inMicroseconds({ ms, units }: Run): string {
  return ((1000 * ms) / units).toFixed(0);
}

function part(small: ReadonlyMap<string, Run>, large: ReadonlyMap<string, Run>, size: Size): string {
  const rows = tasks.flatMap(({ name, unit }) => {
    const [before, after] = [small.get(name), large.get(name)];
    if (before === undefined || after === undefined) return [];
    const ratio = (after.ms * before.units) / (before.ms * after.units);
    return [`| ${name} | ${unit} | ${inMicroseconds(before)} | ${inMicroseconds(after)} | ${ratio.toFixed(1)} |`];
  });
  return `## The work behind the scenes of a large shop

Written by \`npm run bench:upkeep -- --write\`: ${size.carts.toLocaleString('en')} live carts, as many old ones, as many orders, and ${size.events.toLocaleString('en')} events, beside a
thousandth of each. Microseconds for each unit of work, on ${machineOf()}.

| work | for each | a thousandth | all | ratio |
| --- | --- | ---: | ---: | ---: |
${rows.join('\n')}
`;
}

/** Prints the figures. @returns how many tasks take too long */
function report(small: ReadonlyMap<string, Run>, large: ReadonlyMap<string, Run>): number {
  let failed = 0;
  console.log(
    `\n${'microseconds'.padEnd(50)}${'for each'.padEnd(10)}${'small'.padStart(9)}${'large'.padStart(9)}${'ratio'.padStart(8)}`,
  );
  for (const { name, unit } of tasks) {
    const [before, after] = [small.get(name), large.get(name)];
    if (before === undefined || after === undefined) continue;
    const expected = (before.ms / before.units) * after.units;
    const bad = after.ms / expected > MOST && after.ms - expected > NOISE_MS;
    if (bad) failed += 1;
    console.log(
      `${name.padEnd(50)}${unit.padEnd(10)}${inMicroseconds(before).padStart(9)}${inMicroseconds(after).padStart(9)}${(after.ms / expected).toFixed(1).padStart(8)}${bad ? '  too slow' : ''}`,
    );
  }
  console.log(verdictOf(failed, 'tasks'));
  return failed;
}

const { parse, wholeNumber } = argumentsOf(USAGE);
try {
  const text = { type: 'string' } as const;
  const values = parse(process.argv.slice(2), {
    carts: text,
    events: text,
    task: text,
    write: { type: 'boolean', default: false },
  });
  const carts = wholeNumber('carts', values.carts, 10_000, 10_000_000) ?? 1_000_000;
  const events = wholeNumber('events', values.events, 10_000, 20_000_000) ?? 2_000_000;
  const isWanted = (name: string) => name.includes(values.task ?? '');
  console.log('small');
  // A thousandth, but enough for the runs of each task.
  const least = { carts: Math.max(Math.round(carts / 1000), 1000), events: Math.max(Math.round(events / 1000), 2000) };
  const small = await measure(least, isWanted);
  console.log('large');
  const large = await measure({ carts, events }, isWanted);
  process.exitCode = report(small, large) === 0 ? 0 : 1;
  if (values.write) await writePart('upkeep', part(small, large, { carts, events }));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

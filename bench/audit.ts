import { parseArgs } from 'node:util';
import type { Database, Queryable, Statement } from '../src/infra/postgres/database.ts';
import { auditInventory } from '../src/modules/inventory/inventory.audit.ts';
import { auditStock } from '../src/modules/inventory/stock-audit.ts';
import { fill, openScratch, type Size } from './audit/scratch.ts';

// `npm run bench:audit`: how long the shop's audit takes where the ledger is long. See README.md.

const USAGE = `How long the shop's audit takes, beside counting the ledger, in a database of its own that is thrown away.

  npm run bench:audit -- [--variants 100000] [--entries 100] [--live-carts 10000] [--past-carts 100000]

  --variants    variants (100 to 1000000)
  --entries     ledger entries of each (1 to 10000)
  --live-carts  carts that hold units; at most half as many as variants
  --past-carts  carts that are over and keep their lines`;

const PAGE = 1000;
const RUNS = 3;

const size = readSize(process.argv.slice(2));
if (size === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const scratch = await openScratch();
  try {
    const began = performance.now();
    const report = (what: string) =>
      console.log(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);
    await fill(scratch, size, report);
    await measure(scratch.db, size);
  } finally {
    await scratch.dispose();
  }
}

async function measure(db: Database, { variants, liveCarts }: Size): Promise<void> {
  const count = { name: 'bench_count', text: 'SELECT count(*) FROM stock_movements' };
  const [control, full, page]: [number[], number[], number[]] = [[], [], []];
  let entries = 0n;
  for (let run = 0; run < RUNS; run += 1) {
    const [row] = await timed(control, () => db.query<{ count: bigint }>(count));
    entries = row?.count ?? 0n;
    const audit = await timed(full, () => auditStock(db, null, null));
    if (audit.checkedVariants !== variants || audit.discrepancies.length > 0) {
      throw new Error(`${audit.checkedVariants} checked, ${audit.discrepancies.length} discrepancies`);
    }
    for (let after: string | null = null, more = true; more;) {
      const part = await timed(page, () => auditStock(db, PAGE, after));
      ({ lastId: after, more } = part);
    }
  }
  const whole: number[] = [];
  await timed(whole, () => auditWholeHistory(db));
  const [shortest = 0] = full.toSorted((a, b) => a - b);
  const [counted = 0] = control.toSorted((a, b) => a - b);
  console.log(`
${variants} variants, ${entries} ledger entries, ${liveCarts} live carts; milliseconds

  SELECT count(*) FROM stock_movements   ${describe(control)}
  the audit of every variant             ${describe(full)}
  the same over the whole history        ${describe(whole)}
  the audit of ${PAGE} variants            ${spread(page)}

The audit takes ${(shortest / counted).toFixed(2)} times as long as counting the ledger, ${((1000 * shortest) / variants).toFixed(0)} µs a variant.
`);
}

/** What the audit would cost if it went through every entry: what tests do with their small ledgers. */
async function auditWholeHistory(db: Database): Promise<void> {
  const client = await db.connect();
  try {
    const source: Queryable = {
      query: async <Row extends object>({ text }: Statement, values: readonly unknown[] = []) =>
        (await client.query<Row>(text, [...values])).rows,
    };
    await auditInventory(source, null);
  } finally {
    await client.end();
  }
}

async function timed<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times.push(performance.now() - began);
  return result;
}

function describe(times: readonly number[]): string {
  return times.map((time) => time.toFixed(0)).join(', ');
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} (${times.length} pages)`;
}

function readSize(args: string[]): Size | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { variants: text, entries: text, 'live-carts': text, 'past-carts': text },
    });
    const number = (value: string | undefined, usual: number, least: number, most: number) => {
      const given = value === undefined ? Math.min(usual, most) : Number(value);
      if (!Number.isInteger(given) || given < least || given > most) throw new Error(`${value}: ${least} to ${most}`);
      return given;
    };
    const variants = number(values.variants, 100_000, 100, 1_000_000);
    return {
      variants,
      entries: number(values.entries, 100, 1, 10_000),
      liveCarts: number(values['live-carts'], 10_000, 1, Math.floor(variants / 2)),
      pastCarts: number(values['past-carts'], 100_000, 1, 10_000_000),
    };
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n` : error);
    return null;
  }
}

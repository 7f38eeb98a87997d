import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEventLog } from '../../src/events/event-log.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { makeVariant } from '../../tests/support/fixtures.ts';
import { useCompiledEntries } from '../../tests/support/compiled.ts';
import { GRACE_SECONDS } from '../../src/modules/payments/starting.ts';
import { openPlace, type Place } from '../torture-faults/place.ts';
import { createRandom } from '../torture-faults/random.ts';
import { openBank, type Bank } from './bank.ts';
import { findOpenWork, readBooks } from './books.ts';
import { killParts, type Kill } from './kills.ts';
import type { Options } from './options.ts';
import { sendShoppers } from './shoppers.ts';
import { judge } from './verdict.ts';

/** Shoppers who leave without paying keep their unit for so long. */
const PAYMENT_WITHIN_SECONDS = 20;
/** The shop has given up on a payment after this. */
const GIVEN_UP_MS = (PAYMENT_WITHIN_SECONDS + GRACE_SECONDS + 20) * 1000;
const PRICE = 1999;

/**
 * Runs it, and prints what came of it.
 * @returns whether all books agree; null if it was interrupted
 */
export async function torture(options: Options, signal: AbortSignal): Promise<boolean | null> {
  console.log('starting a shop');
  const compiled = mkdtempSync(join(tmpdir(), 'vitrine-compiled-'));
  useCompiledEntries(compiled);
  await using bank = await openBank(createRandom(options.seed + 2));
  const place = await openPlace('services', {
    ...bank.settings,
    PAYMENT_WITHIN_SECONDS: String(PAYMENT_WITHIN_SECONDS),
  });
  bank.shops = place.nodes.map(({ url }) => url);
  let passed = false;
  try {
    const db = openDatabase({
      connectionString: place.databaseUrl(),
      poolSize: 2,
      logger: createLogger({ level: 'silent', pretty: false }),
    });
    try {
      passed = await run({ place, bank, db }, { options, signal });
      return signal.aborted ? null : passed;
    } finally {
      await db[Symbol.asyncDispose]();
    }
  } finally {
    if (!passed && !signal.aborted) console.log(`The logs are in ${place.folder}.`);
    await place.dispose({ keepFolder: !passed && !signal.aborted });
    rmSync(compiled, { recursive: true, force: true });
  }
}

async function run(
  { place, bank, db }: { place: Place; bank: Bank; db: Database },
  { options, signal }: { options: Options; signal: AbortSignal },
): Promise<boolean> {
  const { shoppers, units, kills, seed, duration, recoverWithin, settleWithin } = options;
  const variant = await makeVariant(
    { db, eventLog: createEventLog({ db, wake: () => {} }) },
    { price: PRICE, onHand: units },
  );
  let killed = 0;
  /** The load lasts as long as the kills: with each of them some more shoppers come. */
  const mayEnter = async (count: number) => {
    while (!signal.aborted && killed < kills && count > Math.ceil((shoppers * (killed + 1)) / kills)) await delay(50);
    return !signal.aborted;
  };
  const [shopping, killsDone] = await Promise.all([
    sendShoppers({
      ...{ urls: place.nodes.map(({ url }) => url), bank, variantId: variant.globalId, shoppers, mayEnter },
      graceMs: GIVEN_UP_MS,
      random: createRandom(seed + 1),
    }),
    killParts(place, {
      ...{ kills, duration, recoverWithin, signal, random: createRandom(seed) },
      onKill: (count) => {
        killed = count;
      },
    }),
  ]);
  if (signal.aborted) return false;
  console.log('  waiting until every payment has come to its end');
  const deadline = performance.now() + settleWithin * 1000;
  let open = await findOpenWork(db, bank);
  while (open !== null && performance.now() < deadline && !signal.aborted) {
    await delay(1_000);
    open = await findOpenWork(db, bank);
  }
  if (signal.aborted) return false;
  const endedByThemselves = [...place.nodes, ...place.workers].flatMap(({ name, endedByItself }) =>
    endedByItself === 0 ? [] : [`${name} ended by itself ${endedByItself} times`],
  );
  const books = await readBooks(db, bank, variant.id);
  const checks = judge({ outcomes: shopping.outcomes, books, units, kills: killsDone, open, endedByThemselves });
  console.log('');
  for (const { name, faults, detail } of checks) {
    console.log(
      `  ${faults.length === 0 ? '✓' : '✗'} ${name}: ${faults.length === 0 ? detail : faults.slice(0, 5).join('; ')}`,
    );
  }
  const { requests, lostAnswers, failures, webhooks } = bank.figures;
  console.log(
    `\nThe provider was asked ${requests} times; ${lostAnswers} answers were lost, and ${failures} requests failed. ` +
      `It sent ${webhooks} webhooks.`,
  );
  const found = checks.reduce((sum, { faults }) => sum + faults.length, 0);
  console.log(
    `${killsDone.length} kills (${countsOf(killsDone)}), ${shopping.outcomes.length} shoppers, ${books.payments.length} payments, ${books.orders.length} orders, ` +
      `${shopping.unanswered} answers lost and asked for again: ${found} discrepancies → ${found === 0 ? 'PASS' : 'FAIL'}`,
  );
  return found === 0;
}

/** How often each part was killed, in words. */
function countsOf(kills: readonly Kill[]): string {
  const counts = new Map<string, number>();
  for (const { name } of kills) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

import { setTimeout as delay } from 'node:timers/promises';
import { createEventLog } from '../../src/events/event-log.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { makeVariant } from '../../tests/support/fixtures.ts';
import { openPlace, type Place } from '../torture-faults/place.ts';
import { createRandom } from '../torture-faults/random.ts';
import { findOpenWork, readBooks } from './books.ts';
import { killParts } from './kills.ts';
import type { Options } from './options.ts';
import { sendShoppers } from './shoppers.ts';
import { judge } from './verdict.ts';

/** Shoppers who leave without paying keep their unit for so long. */
const PAYMENT_WITHIN_SECONDS = '20';
const PRICE = 1999;

/**
 * Runs it, and prints what came of it.
 * @returns whether all books agree; null if it was interrupted
 */
export async function torture(options: Options, signal: AbortSignal): Promise<boolean | null> {
  console.log('starting a shop');
  const place = await openPlace('services', { PAYMENT_PROVIDERS: 'test,manual', PAYMENT_WITHIN_SECONDS });
  let passed = false;
  try {
    const db = openDatabase({
      connectionString: place.databaseUrl(),
      poolSize: 2,
      logger: createLogger({ level: 'silent', pretty: false }),
    });
    try {
      passed = await run(place, db, { options, signal });
      return signal.aborted ? null : passed;
    } finally {
      await db[Symbol.asyncDispose]();
    }
  } finally {
    if (!passed && !signal.aborted) console.log(`The logs are in ${place.folder}.`);
    await place.dispose({ keepFolder: !passed && !signal.aborted });
  }
}

async function run(
  place: Place,
  db: Database,
  { options, signal }: { options: Options; signal: AbortSignal },
): Promise<boolean> {
  const { shoppers, units, kills, seed, recoverWithin, settleWithin } = options;
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
      ...{ urls: place.nodes.map(({ url }) => url), variantId: variant.globalId, shoppers, mayEnter },
      random: createRandom(seed + 1),
    }),
    killParts(place, {
      ...{ kills, recoverWithin, signal, random: createRandom(seed) },
      onKill: (count) => {
        killed = count;
      },
    }),
  ]);
  if (signal.aborted) return false;
  console.log('  waiting until every payment has come to its end');
  const deadline = performance.now() + settleWithin * 1000;
  let open = await findOpenWork(db);
  while (open !== null && performance.now() < deadline && !signal.aborted) {
    await delay(1_000);
    open = await findOpenWork(db);
  }
  if (signal.aborted) return false;
  const endedByThemselves = [...place.nodes, ...place.workers].flatMap(({ name, endedByItself }) =>
    endedByItself === 0 ? [] : [`${name} ended by itself ${endedByItself} times`],
  );
  const books = await readBooks(db, variant.id);
  const checks = judge({ told: shopping.told, books, units, kills: killsDone, open, endedByThemselves });
  console.log('');
  for (const { name, faults, detail } of checks) {
    console.log(
      `  ${faults.length === 0 ? '✓' : '✗'} ${name}: ${faults.length === 0 ? detail : faults.slice(0, 5).join('; ')}`,
    );
  }
  const found = checks.reduce((sum, { faults }) => sum + faults.length, 0);
  console.log(
    `\n${killsDone.length} kills, ${shopping.told.length} shoppers, ${books.payments.length} payments, ${books.orders.length} orders, ` +
      `${shopping.unanswered} answers lost and asked for again: ${found} discrepancies → ${found === 0 ? 'PASS' : 'FAIL'}`,
  );
  return found === 0;
}

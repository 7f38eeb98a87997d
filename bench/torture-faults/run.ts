import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { loadConfig } from '../../src/config/config.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { auditInventory } from '../../src/modules/inventory/inventory.audit.ts';
import type { CommandContext } from '../command.ts';
import { fillShelf, type Shelf } from '../torture-events/shelf.ts';
import { subscribe, type Subscribers } from '../torture-events/subscribers.ts';
import { faultsOf, wakeAll } from './faults.ts';
import { startLoad, type Load } from './load.ts';
import type { Options, Way } from './options.ts';
import { openPlace, type Place } from './place.ts';
import { createRandom, type Random } from './random.ts';
import { judge, tableOf, type Facts, type Inflicted } from './verdict.ts';

const SETTLE_WITHIN_MS = 120_000;
const PROBE = `mutation ($id: ID!) {
  payload: cartLinesAdd(input: { lines: [{ variantId: $id, quantity: 1 }] }) { cart { token } } }`;

/**
 * Runs one way and prints what came of it.
 * @returns whether anything was lost, or null where it was interrupted
 */
export async function torture(
  way: Way,
  options: Options,
  { signal, print }: Pick<CommandContext, 'signal' | 'print'>,
): Promise<boolean | null> {
  print(`\n${way}: starting`);
  const place = await openPlace(way);
  let passed = false;
  try {
    const config = loadConfig({
      DATABASE_URL: place.databaseUrl(),
      JWT_SECRET: 'the torture run signs nothing at all',
    });
    const urls = place.fronts.map(({ url }) => url);
    const shelf = await fillShelf(urls, config);
    const db = openDatabase({
      connectionString: place.databaseUrl(),
      poolSize: 2,
      logger: createLogger({ level: 'silent', pretty: false }),
    });
    const subscribers = subscribe(shelf, urls, options.subscribers);
    const random = createRandom(options.seed);
    const variants = shelf.products.flatMap((product) => product.variants.map(({ globalId }) => globalId));
    // Numbers of its own: how many the load draws depends on the clock, and the faults are to be the same for a seed.
    const load = startLoad({
      urls,
      variants,
      shoppers: options.shoppers,
      admin: place.admin,
      random: createRandom(options.seed + 1),
    });
    try {
      const inflicted = await inflictAll(place, { options, random, probeId: variants[0] ?? '', signal, print });
      if (signal.aborted) return null;
      await load.finish();
      const facts = await collect({ place, db, shelf, load, subscribers });
      print(`\n${tableOf(inflicted)}\n`);
      const checks = judge(facts, inflicted);
      for (const { name, losses, detail } of checks) print(`  ${losses === 0 ? '✓' : '✗'} ${name}: ${detail}`);
      const losses = checks.reduce((sum, check) => sum + check.losses, 0);
      passed = losses === 0;
      print(
        `\n${way}: ${inflicted.length} faults, ${facts.orders.length} orders, ${facts.log.length} events, ` +
          `${load.confirmed.unanswered} answers lost and asked for again: ${losses} losses → ${passed ? 'PASS' : 'FAIL'}`,
      );
      return !passed;
    } finally {
      wakeAll(place);
      await subscribers.close();
      await db[Symbol.asyncDispose]();
      await shelf.close().catch(() => undefined);
    }
  } finally {
    if (!passed && !signal.aborted) print(`The logs are in ${place.folder}.`);
    await place.dispose({ keepFolder: !passed && !signal.aborted });
  }
}

async function inflictAll(
  place: Place,
  given: { options: Options; random: Random; probeId: string } & Pick<CommandContext, 'signal' | 'print'>,
): Promise<Inflicted[]> {
  const { options, random, probeId, signal, print } = given;
  const kinds = faultsOf(place);
  const inflicted: Inflicted[] = [];
  const began = performance.now();
  while (inflicted.length < options.faults && !signal.aborted) {
    if (options.duration !== null && performance.now() - began > options.duration * 1000) break;
    await delay(random.between(200, 1_000));
    const fault = random.oneOf(kinds);
    await fault.inflict(random);
    const over = performance.now();
    let recoveredMs: number | null = null;
    while (recoveredMs === null && performance.now() - over < options.recoverWithin * 1000 && !signal.aborted) {
      if (await isWell(place, probeId)) recoveredMs = Math.round(performance.now() - over);
      else await delay(50);
    }
    inflicted.push({ name: fault.name, recoveredMs });
    const outcome = recoveredMs === null ? 'NOT RECOVERED' : `${recoveredMs} ms`;
    print(`  ${String(inflicted.length).padStart(4)}  ${fault.name.padEnd(34)}${outcome}`);
  }
  return inflicted;
}

/** Every process says that it is ready, and every node puts something into a cart. */
async function isWell({ nodes, workers, fronts }: Place, probeId: string): Promise<boolean> {
  const ready = await Promise.all([...nodes, ...workers].map((one) => one.isReady()));
  if (!ready.every(Boolean)) return false;
  const sold = fronts.map(async ({ url }) => {
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: PROBE, variables: { id: probeId } }),
        signal: AbortSignal.timeout(5_000),
      });
      const { data } = (await response.json()) as { data?: { payload?: { cart?: object | null } | null } | null };
      return data?.payload?.cart != null;
    } catch {
      return false;
    }
  });
  return (await Promise.all(sold)).every(Boolean);
}

/** Waits until all mails are sent and all subscribers are there, but not for ever, and reads what there is. */
async function collect(given: {
  place: Place;
  db: Database;
  shelf: Shelf;
  load: Load;
  subscribers: Subscribers;
}): Promise<Facts> {
  const { place, db, shelf, load, subscribers } = given;
  const ids = shelf.products.flatMap((product) => product.variants.map(({ id }) => id));
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  const orders = await rows<Facts['orders'][number]>(
    db,
    `SELECT o.id::text, o.number::text, o.email, sum(l.quantity)::int AS units FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY o.id`,
  );
  let delivered = new Map<string, number>();
  for (;;) {
    delivered = await deliveries(place, db);
    if (orders.every(({ email }) => delivered.has(email)) || performance.now() > deadline) break;
    // One that the mail server has refused twice waits for five minutes: the mail server is well again, and it is due now.
    await rows(
      db,
      `UPDATE mails SET due_at = clock_timestamp() WHERE status = 'PENDING' AND due_at > clock_timestamp()`,
    );
    await delay(500);
  }
  const log = await shelf.readLog();
  await subscribers.finish((variantIds) => log.findLast(({ variantId }) => variantIds.has(variantId))?.seq ?? 0);
  // Carts whose time is over meanwhile change stock once more.
  const adjustments = await rows<{ key: string; delta: number }>(
    db,
    `SELECT idempotency_key AS key, on_hand_delta AS delta FROM stock_movements WHERE reason = 'RESTOCK' AND idempotency_key IS NOT NULL`,
  );
  const lastSeen = Math.max(0, ...log.map(({ seq }) => seq));
  return {
    confirmed: load.confirmed,
    orders,
    adjustments: new Map(adjustments.map(({ key, delta }) => [key, delta])),
    discrepancies: await auditInventory(db, ids),
    log,
    followed: subscribers.followed.map((one) => ({ ...one, seen: one.seen.filter(({ seq }) => seq <= lastSeen) })),
    subscriberFaults: subscribers.faults,
    delivered,
    endedByThemselves: [...place.nodes, ...place.workers].flatMap(({ name, endedByItself }) =>
      endedByItself === 0 ? [] : [`${name}, ${endedByItself} times`],
    ),
  };
}

/** Mails of orders that arrived, by recipient. */
async function deliveries({ mail, mailbox }: Place, db: Database): Promise<Map<string, number>> {
  if (mail !== null) return new Map(mail.taken);
  const found = new Map<string, number>();
  for (const { recipient } of await rows<{ recipient: string }>(
    db,
    `SELECT recipient FROM mails WHERE status = 'SENT'`,
  )) {
    found.set(recipient, 1);
  }
  // Only the newest thousand are kept as files: those are compared, too.
  const files = mailbox === null ? [] : readdirSync(mailbox).filter((name) => /^[\da-f]{8}-.*\.eml$/.test(name));
  const recipients = new Set(
    files.map((name) => /^to: .*?([\w.-]+@example\.com)/im.exec(readFileSync(join(mailbox ?? '', name), 'utf8'))?.[1]),
  );
  const newest = await rows<{ recipient: string }>(
    db,
    `SELECT recipient FROM mails WHERE status = 'SENT' ORDER BY id DESC LIMIT 900`,
  );
  for (const { recipient } of newest) if (!recipients.has(recipient)) found.delete(recipient);
  return found;
}

async function rows<Row extends pg.QueryResultRow>(db: Database, text: string): Promise<Row[]> {
  return db.query<Row>({ name: `torture_faults_${text.length}`, text });
}

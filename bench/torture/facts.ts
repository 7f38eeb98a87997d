import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/infra/postgres/database.ts';
import { auditInventory } from '../../src/modules/inventory/inventory.audit.ts';
import type { Crowd } from './buyers.ts';
import type { Options } from './options.ts';
import type { Restocked } from './restock.ts';
import type { TortureShop } from './shop.ts';
import type { Facts, Level } from './verdict.ts';
import type { StockWatch } from './watch.ts';

const STORED = `
SELECT v.on_hand AS "onHand", v.held, v.available,
       count(DISTINCT o.order_id)::int AS orders, coalesce(sum(o.quantity), 0)::int AS units,
       (SELECT coalesce(sum(l.quantity), 0)::int FROM cart_lines l JOIN carts c ON c.id = l.cart_id
         WHERE l.variant_id = v.id AND c.status = 'ACTIVE') AS carted,
       (SELECT sum(on_hand_delta)::int FROM stock_movements m WHERE m.variant_id = v.id) AS "ledgerOnHand",
       (SELECT count(*)::int FROM orders u WHERE u.user_id IS NOT NULL
           AND EXISTS (SELECT FROM order_lines l WHERE l.order_id = u.id AND l.variant_id = v.id)) AS "userOrders",
       (SELECT count(*)::int FROM stock_movements m WHERE m.variant_id = v.id AND m.actor_id IS NOT NULL) AS adjustments,
       (SELECT coalesce(sum(on_hand_delta), 0)::int FROM stock_movements m
         WHERE m.variant_id = v.id AND m.actor_id IS NOT NULL) AS restocked,
       (SELECT sum(held_delta)::int FROM stock_movements m WHERE m.variant_id = v.id) AS "ledgerHeld"
  FROM product_variants v LEFT JOIN order_lines o ON o.variant_id = v.id WHERE v.id = $1 GROUP BY v.id`;

const EVENTS = `SELECT (payload->>'available')::int AS available, (payload->>'previousAvailable')::int AS "previousAvailable",
       seq IS NOT NULL AS numbered
  FROM event_log WHERE type = 'stock_changed' AND subject_id = $1 ORDER BY seq, id`;

const PATIENCE_MS = 10_000;

/** The shop's books on the variant, beside what it confirmed to the crowd and what the watcher saw. */
export async function collectFacts(options: {
  shop: TortureShop;
  options: Options;
  crowd: Crowd;
  restocked: Restocked;
  watch: StockWatch;
}): Promise<Facts> {
  const { shop, crowd, restocked, watch } = options;
  const { db, variantId } = shop;
  const logged = await readEvents(db, variantId);
  await watch.until(logged.length);
  const [stored] = await db.query<Facts['stored']>({ name: 'torture_stored', text: STORED }, [variantId]);
  if (stored === undefined) throw new Error(`variant ${variantId} is gone`);
  const { outcomes } = crowd;
  const sum = (count: (outcome: (typeof outcomes)[number]) => number) =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  const sent = outcomes.filter((outcome) => outcome.orders.length === 2);
  return {
    buyers: outcomes.length,
    stock: options.options.stock,
    confirmed: {
      asked: sum((outcome) => outcome.asked),
      orders: new Set(outcomes.flatMap((outcome) => outcome.orders)).size,
      units: sum((outcome) => outcome.bought),
      walkedAwayWith: sum((outcome) => outcome.held),
      userOrders: new Set(outcomes.flatMap(({ account, orders }) => (account === null ? [] : orders))).size,
      adjustments: restocked.adjustments,
      restocked: restocked.units,
      adjustmentsSentAgain: restocked.sentAgain,
      sentTwice: sent.length,
      sentTwiceAndOrderedTwice: sent.filter(({ orders: [one, other] }) => one !== other).length,
    },
    stored,
    discrepancies: await auditInventory(db, [variantId]),
    events: { seen: watch.seen, logged },
    faults: [...crowd.faults, ...restocked.faults],
  };
}

/** Once the relay has numbered them all. */
async function readEvents(db: Database, variantId: string): Promise<Level[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const events = await db.query<Level & { numbered: boolean }>({ name: 'torture_events', text: EVENTS }, [variantId]);
    if (events.every((event) => event.numbered) || performance.now() > deadline) {
      return events.map(({ available, previousAvailable }) => ({ available, previousAvailable }));
    }
    await delay(50);
  }
}

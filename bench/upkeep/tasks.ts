import type pg from 'pg';
import { pruneEvents } from '../../src/events/prune.ts';
import { removeOld, type Places, type RetentionRule } from '../../src/infra/postgres/retention.ts';
import { guestRetention } from '../../src/modules/accounts/account.retention.ts';
import { cartRetention } from '../../src/modules/cart/cart.retention.ts';
import { auditStock } from '../../src/modules/inventory/stock-audit.ts';
import { auditMoneyPage } from '../../src/modules/payments/money-audit.repository.ts';
import type { TestServices } from '../../tests/support/services.ts';
import type { Filled } from '../replay/fill.ts';
import { readAll } from '../replay/read.ts';
import { idOf } from '../ordered-ids.ts';

/** What tasks work on. */
export interface Ground {
  client: pg.Client;
  services: TestServices;
  /** Address of a shop on the database. */
  url: string;
  log: Filled;
  /** How many carts of each kind there are, and variants. */
  carts: number;
}

/** How long something took, and how much was done. */
export interface Run {
  ms: number;
  units: number;
}

/** Work whose time for each unit must not grow with what lies around it. */
export interface Task {
  name: string;
  /** What is counted. */
  unit: string;
  work: (ground: Ground) => Promise<Run[]>;
}

const LOOKS = 15;
/** Carts and events of one run, of which the small database has enough for all runs. */
const FEW = 250;
const FEW_RUNS = 3;
const PAGE = 500;

async function timed(work: () => Promise<number>): Promise<Run> {
  const began = performance.now();
  const units = await work();
  return { ms: performance.now() - began, units };
}

async function times(count: number, work: () => Promise<number>): Promise<Run[]> {
  const runs: Run[] = [];
  // The first few warm up caches and connections.
  for (let run = -3; run < count; run += 1) {
    const measured = await timed(work);
    if (run >= 0) runs.push(measured);
  }
  return runs;
}

function expectUnits(found: number, wanted: number): number {
  if (found !== wanted) throw new Error(`${found} instead of ${wanted}`);
  return found;
}

/** A number that so many others follow. */
const anyBefore = (count: number, others: number) => Math.floor(Math.random() * (count - others));

function replay(from: (log: Filled) => number, events: number): Task['work'] {
  return ({ url, log }) => {
    const [epoch] = Buffer.from(log.cursor, 'base64url').toString().split('.');
    return times(LOOKS, async () => {
      const cursor = Buffer.from(`${epoch}.${from(log)}`).toString('base64url');
      await readAll(url, 'SSE', { cursor, events, pauseAfter: Infinity, pauseMs: 0, onEvent: () => {} });
      return 1;
    });
  };
}

/** Deletes all rows of a rule, in as many runs as its search takes. There must be one for each cart. */
const removed = (rule: RetentionRule): Task['work'] => {
  return async ({ services: { db }, carts }) => {
    const places: Places = new Map();
    const all = async () => {
      let rows = 0;
      do rows += await removeOld({ db, rule, places });
      while (places.get(rule.name) != null);
      return expectUnits(rows, carts);
    };
    return [await timed(all)];
  };
};

/** Rows that are searched in one run of a rule that finds nothing. */
const nothingFound = (rule: RetentionRule): Task['work'] => {
  return ({ services: { db } }) =>
    times(LOOKS, async () => {
      let searched = 0;
      const counting = {
        async query<Row extends object>(...args: Parameters<typeof db.query>): Promise<Row[]> {
          const rows = await db.query<Row>(...args);
          searched += rows.length;
          return rows;
        },
      };
      expectUnits(await removeOld({ db: counting, rule }), 0);
      return searched;
    });
};

const EVENT_DAYS = 30;
const prune = (ground: Ground, days: number) => pruneEvents({ db: ground.services.db, days, consumers: [] });

const [oldCarts, boughtLines] = cartRetention(90) as [RetentionRule, RetentionRule];
const oldGuests = guestRetention(400);

/** In the order in which they are done: what deletes comes last. */
export const tasks: readonly Task[] = [
  {
    name: 'expiry, no cart is due',
    unit: 'look',
    work: ({ services }) =>
      times(LOOKS, async () => {
        expectUnits((await services.cart.expireOverdue()).carts, 0);
        return 1;
      }),
  },
  {
    name: `expiry of ${FEW} carts`,
    unit: 'cart',
    async work({ client, services, carts }) {
      const runs: Run[] = [];
      for (let run = 0; run < FEW_RUNS; run += 1) {
        // Carts that are due together were changed at the same time.
        await client.query(
          `UPDATE carts SET hold_started_at = now() - interval '1 hour', expires_at = now() - interval '1 second'
            WHERE id IN (SELECT id FROM carts WHERE status = 'ACTIVE' AND id >= $1 ORDER BY id LIMIT ${FEW})`,
          [idOf('live cart', Math.floor((carts * run) / FEW_RUNS) + 1)],
        );
        runs.push(await timed(async () => expectUnits((await services.cart.expireOverdue()).carts, FEW)));
      }
      return runs;
    },
  },
  {
    name: `audit of the stock of ${PAGE} variants`,
    unit: 'page',
    work: ({ services, carts }) =>
      times(LOOKS, async () => {
        const after = idOf('variant', anyBefore(carts, PAGE));
        const { checkedVariants, discrepancies } = await auditStock(services.db, PAGE, after);
        expectUnits(discrepancies.length, 0);
        expectUnits(checkedVariants, PAGE);
        return 1;
      }),
  },
  {
    name: `audit of the money of ${PAGE} orders`,
    unit: 'page',
    work: ({ services, carts }) =>
      times(LOOKS, async () => {
        const after = idOf('order', anyBefore(carts, PAGE));
        expectUnits((await auditMoneyPage(services.db, after, PAGE)).orders, PAGE);
        return 1;
      }),
  },
  {
    name: 'replay of 1,000 events from the middle',
    unit: 'replay',
    work: replay(({ first, last }) => first + Math.floor((last - first) / 3), 1000),
  },
  { name: 'replay of the last 100 events', unit: 'replay', work: replay(({ last }) => last - 100, 100) },
  {
    name: 'pruning, no event is old',
    unit: 'look',
    work: (ground) =>
      times(LOOKS, async () => {
        expectUnits(await prune(ground, EVENT_DAYS), 0);
        return 1;
      }),
  },
  {
    name: `pruning of ${FEW} old events`,
    unit: 'event',
    async work(ground) {
      const runs: Run[] = [];
      for (let run = 0; run < FEW_RUNS; run += 1) {
        await ground.client.query(
          `UPDATE event_log SET occurred_at = now() - interval '${EVENT_DAYS + 1} days'
            WHERE seq IN (SELECT seq FROM event_log ORDER BY seq LIMIT ${FEW})`,
        );
        runs.push(await timed(async () => expectUnits(await prune(ground, EVENT_DAYS), FEW)));
      }
      return runs;
    },
  },
  { name: 'pruning of all events', unit: 'event', work: async (ground) => [await timed(() => prune(ground, 0))] },
  { name: 'retention of old carts, all of them', unit: 'cart', work: removed(oldCarts) },
  { name: 'retention of old guests, all of them', unit: 'guest', work: removed(oldGuests) },
  { name: 'retention of guests, all others have orders', unit: 'guest', work: nothingFound(oldGuests) },
  { name: 'retention of lines of bought carts, none left', unit: 'line', work: nothingFound(boughtLines) },
];

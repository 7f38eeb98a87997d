import Table from 'cli-table3';
import type { Discrepancy } from '../../src/modules/inventory/inventory.audit.ts';
import type { Logged } from '../torture-events/shelf.ts';
import { compare, type Followed } from '../torture-events/verdict.ts';
import type { Confirmed } from './load.ts';

/** A fault that was inflicted, and how long after its end the shop took to work as before. */
export interface Inflicted {
  name: string;
  /** Null: it did not recover within its time. */
  recoveredMs: number | null;
}

/** What the shop's database and its mail server have in the end. */
export interface Facts {
  confirmed: Confirmed;
  orders: { id: string; number: string; units: number; email: string }[];
  adjustments: Map<string, number>;
  discrepancies: readonly Discrepancy[];
  log: readonly Logged[];
  followed: readonly Followed[];
  subscriberFaults: readonly string[];
  /** Emails about orders, by recipient: how often each was delivered. */
  delivered: Map<string, number>;
  endedByThemselves: readonly string[];
}

export interface Check {
  name: string;
  losses: number;
  detail: string;
}

/** Compares what was confirmed with what is there. */
export function judge(facts: Facts, inflicted: readonly Inflicted[]): Check[] {
  const { confirmed, orders, adjustments, discrepancies, log, followed, delivered } = facts;
  const checks: Check[] = [];
  const check = (name: string, faults: readonly string[], all: string) =>
    checks.push({
      name,
      losses: faults.length,
      detail: faults.length === 0 ? all : `${faults.slice(0, 3).join('; ')} (of ${all})`,
    });

  const stored = new Map(orders.map((order) => [order.number, order]));
  const confirmedNumbers = new Set([...confirmed.orders.values()].map(({ number }) => number));
  check(
    'orders',
    [
      ...confirmed.contradictions,
      ...confirmed.unknown,
      ...[...confirmed.orders.values()].flatMap(({ number, units }) => {
        const order = stored.get(number);
        if (order === undefined) return [`order ${number} was promised and is not there`];
        return order.units === units ? [] : [`order ${number} has ${order.units} units, ${units} were promised`];
      }),
      ...orders
        .filter(({ number }) => !confirmedNumbers.has(number))
        .map(({ number }) => `order ${number} was confirmed to nobody`),
    ],
    `${orders.length} orders`,
  );
  check(
    'restocking',
    [
      ...[...confirmed.adjustments]
        .filter(([key, delta]) => adjustments.get(key) !== delta)
        .map(([key]) => `${key} is missing`),
      ...[...adjustments.keys()]
        .filter((key) => !confirmed.adjustments.has(key))
        .map((key) => `${key} was confirmed to nobody`),
    ],
    `${adjustments.size} adjustments`,
  );
  check(
    'stock, ledger and carts',
    discrepancies.map(({ rule, expected, actual }) => `${rule}: ${expected} expected, ${actual} found`),
    'all variants',
  );
  check(
    'events',
    followed.flatMap(({ name, variantIds, seen }) => {
      const found = compare(
        seen,
        log.filter(({ variantId }) => variantIds.has(variantId)),
      );
      return Object.values(found).some((count) => count > 0) ? [`${name}: ${JSON.stringify(found)}`] : [];
    }),
    `${log.length} events, ${followed.length} subscribers`,
  );
  check('subscriptions that went on', facts.subscriberFaults, `${followed.length} subscribers`);
  const lost = orders.filter(({ email }) => !delivered.has(email));
  const twice = [...delivered.values()].filter((times) => times > 1).length;
  check(
    'mails',
    lost.map(({ number }) => `no mail of order ${number}`),
    `${delivered.size} mails, ${twice} delivered again`,
  );
  check('processes that ended though nobody killed them', facts.endedByThemselves, 'all processes');
  check(
    'recovery',
    inflicted.flatMap(({ name, recoveredMs }) => (recoveredMs === null ? [`not after: ${name}`] : [])),
    `${inflicted.length} faults`,
  );
  return checks;
}

/** The faults by kind, with how long the shop took to recover. */
export function tableOf(inflicted: readonly Inflicted[]): string {
  const table = new Table({
    head: ['fault', 'times', 'not recovered', 'median ms', 'worst ms'],
    style: { head: [], border: [] },
  });
  const kinds = new Map<string, (number | null)[]>();
  for (const { name, recoveredMs } of inflicted) kinds.set(name, [...(kinds.get(name) ?? []), recoveredMs]);
  for (const [name, times] of [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const known = times.filter((ms) => ms !== null).toSorted((a, b) => a - b);
    const median = known[Math.floor(known.length / 2)];
    table.push([name, times.length, times.length - known.length, median ?? '-', known.at(-1) ?? '-']);
  }
  return table.toString();
}

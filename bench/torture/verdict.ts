import type { Discrepancy } from '../../src/modules/inventory/inventory.audit.ts';

/** A change of what can be bought. */
export interface Level {
  available: number;
  previousAvailable: number;
}

/** Everything that must add up. */
export interface Facts {
  buyers: number;
  /** Units there were to begin with. */
  stock: number;
  /** By the answers that buyers got. */
  confirmed: {
    asked: number;
    orders: number;
    units: number;
    walkedAwayWith: number;
    /** Of those who had logged in. */
    userOrders: number;
    /** By the answers that staff got. */
    adjustments: number;
    /** Units that staff added, less those that they took away. */
    restocked: number;
    adjustmentsSentAgain: number;
    sentTwice: number;
    sentTwiceAndOrderedTwice: number;
  };
  /** By the shop's database. */
  stored: {
    onHand: number;
    held: number;
    available: number;
    orders: number;
    units: number;
    userOrders: number;
    /** Done by hand, and the units of them. */
    adjustments: number;
    restocked: number;
    /** Units in carts that hold them. */
    carted: number;
    ledgerOnHand: number;
    ledgerHeld: number;
  };
  /** By the shop's own audit. */
  discrepancies: readonly Discrepancy[];
  events: { seen: readonly Level[]; logged: readonly Level[] };
  /** Answers that nobody should ever get. */
  faults: readonly string[];
}

export interface Verdict {
  checks: { name: string; passed: boolean; detail: string }[];
  /** All of it in one line. */
  line: string;
  exitCode: 0 | 1;
}

/** Compares everything with everything. */
export function judge({ buyers, stock, confirmed, stored, discrepancies, events, faults }: Facts): Verdict {
  const checks: Verdict['checks'] = [];
  const check = (name: string, passed: boolean, detail: string) => checks.push({ name, passed, detail });
  const all = stock + confirmed.restocked;
  const oversold = Math.max(0, stored.units + stored.held - all);

  check(
    'nothing sold twice',
    oversold === 0 && stored.available >= 0,
    `${all} units: ${stored.units} sold, ${stored.held} held in carts, ${stored.available} left`,
  );
  check(
    'stock adds up',
    stored.onHand === all - stored.units && stored.available === stored.onHand - stored.held,
    `${stored.onHand} on hand after ${stored.units} of ${all} were sold`,
  );
  check(
    'orders are those that were confirmed to buyers',
    stored.orders === confirmed.orders &&
      stored.units === confirmed.units &&
      stored.userOrders === confirmed.userOrders,
    `${stored.orders} orders of ${stored.units} units, ${stored.userOrders} by users; confirmed: ${confirmed.orders}, ${confirmed.units} and ${confirmed.userOrders}`,
  );
  check(
    'a checkout sent twice is one order',
    confirmed.sentTwiceAndOrderedTwice === 0,
    `${confirmed.sentTwice} sent twice at once, ${confirmed.sentTwiceAndOrderedTwice} made two orders`,
  );
  check(
    'adjustments are those that were confirmed to staff',
    stored.adjustments === confirmed.adjustments && stored.restocked === confirmed.restocked,
    `${stored.adjustments} adjustments of ${stored.restocked} units; confirmed: ${confirmed.adjustments} and ${confirmed.restocked}; ${confirmed.adjustmentsSentAgain} sent again`,
  );
  check(
    'carts hold what the stock says is held',
    // Carts of those who walked away may have run out of time meanwhile.
    stored.held === stored.carted && stored.held <= confirmed.walkedAwayWith,
    `${stored.carted} units in carts, ${stored.held} held; buyers walked away from ${confirmed.walkedAwayWith}`,
  );
  check(
    'the ledger sums up to the stock',
    stored.ledgerOnHand === stored.onHand && stored.ledgerHeld === stored.held,
    `${stored.ledgerOnHand} on hand and ${stored.ledgerHeld} held by the ledger`,
  );
  const [found] = discrepancies;
  check(
    "the shop's audit finds nothing",
    found === undefined,
    found === undefined ? 'no discrepancy' : `${found.rule}: ${found.expected} expected, ${found.actual} found`,
  );
  const unseen = compareEvents(events, stored.available);
  check(
    'subscribers received every level, in order',
    unseen === null,
    unseen ?? `${events.seen.length} events seen over WebSocket`,
  );
  check(
    'no answer was unexpected',
    faults.length === 0,
    faults.length === 0 ? 'no server error, no unjustified refusal' : `${faults.length}, the first: ${faults[0]}`,
  );

  const passed = checks.every((each) => each.passed);
  const held = stored.held === 0 ? '' : `held in carts ${stored.held}, `;
  const more = confirmed.restocked === 0 ? '' : ` and ${confirmed.restocked} restocked`;
  const line = `${stock} units${more}, ${buyers} buyers who wanted ${confirmed.asked}: sold ${stored.units}, ${held}left ${stored.available}, oversold ${oversold} → ${passed ? 'PASS' : 'FAIL'}`;
  return { checks, line, exitCode: passed ? 0 : 1 };
}

/** What is wrong with the events, in words. */
function compareEvents({ seen, logged }: Facts['events'], available: number): string | null {
  let before = 0;
  for (const [index, event] of seen.entries()) {
    if (event.previousAvailable !== before) {
      return `event ${index + 1} says there were ${event.previousAvailable}, the one before it said ${before}`;
    }
    before = event.available;
  }
  if (seen.length !== logged.length) return `${seen.length} events seen, ${logged.length} in the log`;
  const odd = seen.findIndex((event, index) => event.available !== logged[index]?.available);
  if (odd !== -1) return `event ${odd + 1} is not the one in the log`;
  return before === available ? null : `the last event says ${before}, the stock ${available}`;
}

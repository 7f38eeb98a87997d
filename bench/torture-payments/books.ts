import type { Queryable } from '../../src/infra/postgres/database.ts';
import { auditInventory } from '../../src/modules/inventory/inventory.audit.ts';
import { auditMoney } from '../../src/modules/payments/money-audit.ts';
import type { Bank, BankPayment } from './bank.ts';

/** What the provider, the shop's payments, its orders and its stock say in the end. */
export interface Books {
  /** Payments of provider and shop side by side; the one that has none is null. */
  payments: {
    id: string;
    state: string | null;
    orderId: string | null;
    captured: bigint | null;
    refunded: bigint | null;
    theirState: string | null;
    theirCaptured: bigint | null;
    theirRefunded: bigint | null;
    /** How many payments the provider has for this one. */
    copies: number;
  }[];
  orders: {
    id: string;
    number: string;
    cartId: string;
    status: string;
    total: bigint;
    net: bigint;
    payers: number;
    units: number;
  }[];
  /** Of the variant that all want. */
  stock: { onHand: number; held: number; sold: number };
  /** What the shop's own audits find, in words. */
  discrepancies: string[];
  ledger: bigint;
}

const PAYMENTS = `
SELECT p.id::text AS id, p.state::text AS state, p.order_id::text AS "orderId", p.captured_minor AS captured, p.refunded_minor AS refunded
  FROM payments p WHERE p.provider <> 'manual' ORDER BY p.created_at, p.id`;

const ORDERS = `
SELECT o.id::text, o.number::text, o.cart_id::text AS "cartId", o.status::text, o.total_minor AS total, coalesce(p.net, 0)::bigint AS net,
       coalesce(p.payers, 0)::int AS payers, l.units
  FROM orders o
  JOIN (SELECT order_id, sum(quantity)::int AS units FROM order_lines GROUP BY 1) l ON l.order_id = o.id
  LEFT JOIN (SELECT order_id, sum(captured_minor - refunded_minor) AS net, count(*) FILTER (WHERE captured_minor > 0) AS payers
               FROM payments GROUP BY 1) p ON p.order_id = o.id`;

const STOCK = `
SELECT on_hand AS "onHand", held,
       (SELECT coalesce(sum(l.quantity), 0)::int FROM order_lines l JOIN orders o ON o.id = l.order_id
         WHERE l.variant_id = v.id AND o.status <> 'CANCELLED') AS sold
  FROM product_variants v WHERE id = $1`;

const OPEN = `
SELECT (SELECT count(*) FROM payment_operations WHERE state IN ('QUEUED', 'SENT', 'UNKNOWN'))::int AS operations,
       (SELECT count(*) FROM payments WHERE state IN ('PENDING', 'PROCESSING', 'AUTHORIZED') OR refund_pending_minor > 0)::int AS payments,
       (SELECT count(*) FROM webhook_deliveries WHERE status = 'PENDING')::int AS deliveries`;

type OurPayment = Pick<Books['payments'][number], 'id' | 'state' | 'orderId' | 'captured' | 'refunded'>;

function sideBySide(ours: readonly OurPayment[], theirs: readonly BankPayment[]): Books['payments'] {
  const copies = new Map<string, BankPayment[]>();
  for (const one of theirs) copies.set(one.paymentId, [...(copies.get(one.paymentId) ?? []), one]);
  const total = (of: readonly BankPayment[], amount: 'capturedMinor' | 'refundedMinor') =>
    of.length === 0 ? null : of.reduce((sum, one) => sum + one[amount], 0n);
  const beside = (of: readonly BankPayment[]) => ({
    theirState: of[0]?.state ?? null,
    theirCaptured: total(of, 'capturedMinor'),
    theirRefunded: total(of, 'refundedMinor'),
    copies: of.length,
  });
  const known = new Set(ours.map(({ id }) => id));
  const none = { state: null, orderId: null, captured: null, refunded: null };
  return [
    ...ours.map((payment) => ({ ...payment, ...beside(copies.get(payment.id) ?? []) })),
    ...[...copies].filter(([id]) => !known.has(id)).map(([id, of]) => ({ id, ...none, ...beside(of) })),
  ];
}

/** What has not come to its end, in words; null if nothing is open. */
export async function findOpenWork(db: Queryable, bank: Pick<Bank, 'countOutstanding'>): Promise<string | null> {
  const [open = {}] = await db.query<Record<string, number>>({ name: 'torture_open', text: OPEN });
  const left = Object.entries({ ...open, "webhooks and outcomes of the provider's": bank.countOutstanding() }).filter(
    ([, count]) => count > 0,
  );
  return left.length === 0 ? null : left.map(([what, count]) => `${count} ${what}`).join(', ');
}

/** Reads all books. @param variantId the row's ID */
export async function readBooks(db: Queryable, bank: Pick<Bank, 'payments'>, variantId: string): Promise<Books> {
  const ours = await db.query<OurPayment>({ name: 'torture_payments', text: PAYMENTS });
  const payments = sideBySide(ours, bank.payments());
  const orders = await db.query<Books['orders'][number]>({ name: 'torture_orders', text: ORDERS });
  const [stock] = await db.query<Books['stock']>({ name: 'torture_stock', text: STOCK }, [variantId]);
  const [ledger] = await db.query<{ sum: bigint | string | null }>({
    name: 'torture_ledger',
    text: 'SELECT coalesce(sum(amount_minor), 0)::bigint AS sum FROM money_entries',
  });
  if (stock === undefined) throw new Error('the variant is gone');
  const inventory = await auditInventory(db, null);
  const money = await auditMoney(db, null, null);
  const words = ({ rule, expected, actual }: { rule: string; expected: unknown; actual: unknown }) =>
    `${rule} Expected ${String(expected)}, found ${String(actual)}.`;
  return {
    ...{ payments, orders, stock },
    discrepancies: [...inventory.map(words), ...money.discrepancies.map(words)],
    ledger: BigInt(ledger?.sum ?? 0),
  };
}

import type { Queryable } from '../../src/infra/postgres/database.ts';
import { auditInventory } from '../../src/modules/inventory/inventory.audit.ts';
import { auditMoney } from '../../src/modules/payments/money-audit.ts';

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
SELECT coalesce(p.id::text, t.payment_id) AS id, p.state::text AS state, p.order_id::text AS "orderId", p.captured_minor AS captured,
       p.refunded_minor AS refunded, t.state AS "theirState", t.captured AS "theirCaptured", t.refunded AS "theirRefunded",
       coalesce(t.copies, 0)::int AS copies
  FROM payments p FULL JOIN (
    SELECT b.payment_id, max(b.state) AS state, sum(b.captured_minor)::bigint AS captured, coalesce(sum(r.amount), 0)::bigint AS refunded,
           count(*) AS copies
      FROM test_provider_payments b LEFT JOIN (
        SELECT payment_reference, sum(amount_minor) AS amount FROM test_provider_refunds WHERE state = 'SUCCEEDED' GROUP BY 1
      ) r ON r.payment_reference = b.reference GROUP BY b.payment_id
  ) t ON t.payment_id = p.id::text WHERE p.provider IS DISTINCT FROM 'manual'`;

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
       (SELECT count(*) FROM webhook_deliveries WHERE status = 'PENDING')::int AS deliveries,
       (SELECT count(*) FROM test_provider_events WHERE due_at IS NOT NULL)::int AS webhooks,
       (SELECT count(*) FROM test_provider_payments WHERE late_at IS NOT NULL AND state = 'PROCESSING')::int AS late`;

/** What has not come to its end, in words; null if nothing is open. */
export async function findOpenWork(db: Queryable): Promise<string | null> {
  const [open = {}] = await db.query<Record<string, number>>({ name: 'torture_open', text: OPEN });
  const left = Object.entries(open).filter(([, count]) => count > 0);
  return left.length === 0 ? null : left.map(([what, count]) => `${count} ${what}`).join(', ');
}

/** Reads all books. @param variantId the row's ID */
export async function readBooks(db: Queryable, variantId: string): Promise<Books> {
  const payments = await db.query<Books['payments'][number]>({ name: 'torture_payments', text: PAYMENTS });
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

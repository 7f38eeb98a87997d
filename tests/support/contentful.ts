import { signRequest } from '@contentful/node-apps-toolkit';
import type { TestShop } from './shop.ts';
import { rowsOf } from './books.ts';
import type { RawAnswer } from './http.ts';

/** A secret as Contentful makes them. */
export const SECRET = 'aZ09_-'.repeat(11).slice(0, 64);

export const WEBHOOK_PATH = '/webhooks/contentful';

/** A delivery of the CMS, as tests name it. */
export interface TestDelivery {
  topic?: 'publish' | 'unpublish' | 'archive' | 'delete' | 'save';
  /** Values in the shop's locale. */
  fields?: Record<string, unknown>;
  id?: string;
  revision?: number;
  /** Minutes after some hour: the CMS's clock. */
  minute?: number;
  contentType?: string;
  /** What takes the place of the body. */
  body?: string | Buffer;
  key?: string;
  path?: string;
}

const instant = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();

/** The body that Contentful would send. */
export function bodyOf({ topic = 'publish', fields, id, revision, minute = 0, contentType = 'product' }: TestDelivery) {
  const at = instant(minute);
  const sys = {
    id,
    type: topic === 'delete' || topic === 'unpublish' ? 'DeletedEntry' : 'Entry',
    contentType: { sys: { type: 'Link', linkType: 'ContentType', id: contentType } },
    createdAt: instant(-1),
    updatedAt: at,
    ...(topic === 'publish' || topic === 'unpublish' ? { revision: revision ?? 1 } : {}),
    ...(topic === 'delete' || topic === 'unpublish' ? { deletedAt: at } : {}),
    ...(topic === 'archive' ? { archivedAt: at } : {}),
  };
  if (topic === 'delete' || topic === 'unpublish') return { sys };
  return { sys, fields: localised(fields ?? {}) };
}

/** Fields as the CMS has them: each value under its locale. */
export function localised(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { 'en-US': value }]));
}

/** The headers with which Contentful signs a request. */
export function signedHeaders(request: {
  path?: string;
  headers: Record<string, string>;
  body: string;
  at?: number;
}): Record<string, string> {
  const { path = WEBHOOK_PATH, headers, body, at } = request;
  return { ...headers, ...signRequest(SECRET, { method: 'POST', path, headers, body }, at ?? Date.now()) };
}

let count = 0;

/** A name that no entry had before. Names are in the order in which they were made, by which the shop reads entries. */
export function newEntryId(): string {
  count += 1;
  return `entry${String(count).padStart(6, '0')}`;
}

/** Sends a delivery, signed. */
export function deliver(shop: Pick<TestShop, 'request'>, delivery: TestDelivery): Promise<RawAnswer> {
  const { topic = 'publish', path = WEBHOOK_PATH, key } = delivery;
  const given = delivery.body ?? JSON.stringify(bodyOf(delivery));
  const body = given.toString();
  count += 1;
  const headers = {
    'content-type': 'application/vnd.contentful.management.v1+json',
    'x-contentful-topic': `ContentManagement.Entry.${topic}`,
    'x-contentful-webhook-name': 'Shop',
    'x-contentful-idempotency-key': key ?? `key-${count}`,
  };
  return shop.request({ method: 'POST', path, headers: signedHeaders({ path, headers, body }), body: given });
}

/** A delivery as its row has it. */
export interface Delivered {
  id: string;
  status: string;
  reason: string | null;
  attempts: number;
  productId: string | null;
}

/** The deliveries of an entry, the oldest first. */
export function deliveriesOf({ db }: Pick<TestShop, 'db'>, entryId: string): Promise<Delivered[]> {
  return rowsOf<Delivered>(
    db,
    'SELECT id, status, reason, attempts, object_id AS "productId" FROM webhook_deliveries WHERE subject = $1 ORDER BY received_at, id',
    [entryId],
  );
}

/** Applies all that waits, one after the other, as jobs would; gives how the latest delivery of the entry was settled. */
export async function applyAll(shop: Pick<TestShop, 'db' | 'app'>): Promise<void> {
  const waiting = await rowsOf<{ id: string }>(
    shop.db,
    `SELECT id FROM webhook_deliveries WHERE status = 'PENDING' ORDER BY received_at, id`,
  );
  for (const { id } of waiting) await shop.app.services.webhooks.apply(id);
}

/** Sends a delivery and applies it; gives what became of it. */
export async function deliverAndApply(
  shop: Pick<TestShop, 'request' | 'db' | 'app'>,
  delivery: TestDelivery & { id: string },
): Promise<Pick<Delivered, 'status' | 'reason'>> {
  const { status } = await deliver(shop, delivery);
  if (status !== 202) throw new Error(`the webhook answered ${status}`);
  await applyAll(shop);
  const last = (await deliveriesOf(shop, delivery.id)).at(-1);
  if (last === undefined) throw new Error('nothing was stored');
  return { status: last.status, reason: last.reason };
}

/** A product that is an entry, with its variant's price, stock and what the CMS believes of it. */
export interface EntryProduct {
  id: string;
  variantId: string;
  slug: string;
  title: string;
  description: string;
  status: string;
  images: unknown;
  sku: string;
  price: number;
  onHand: number;
  held: number;
  quantity: number | null;
  shortfall: number | null;
}

/** The product that an entry is; null where there is none. */
export async function productOf({ db }: Pick<TestShop, 'db'>, entryId: string): Promise<EntryProduct | null> {
  const [row] = await rowsOf<EntryProduct>(
    db,
    `SELECT p.id, v.id AS "variantId", p.slug, p.title, p.description, p.status, p.images, v.sku, v.price_minor AS price, v.on_hand AS "onHand", v.held,
            o.quantity, o.shortfall
       FROM contentful_entries e JOIN products p ON p.id = e.product_id JOIN product_variants v ON v.product_id = p.id
       LEFT JOIN outside_stock o ON o.variant_id = v.id AND o.source = 'contentful' WHERE e.id = $1`,
    [entryId],
  );
  return row ?? null;
}

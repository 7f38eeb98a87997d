import { expect } from 'vitest';
import { newPerson, whoIs } from './accounts.ts';
import { makeProduct } from './fixtures.ts';
import { known } from './known.ts';
import { enter } from './shopper.ts';
import type { TestShop } from './shop.ts';
import { until } from './until.ts';
import { watchNow } from './watch.ts';

const QUARTER_OF_AN_HOUR_MS = 900_000;
/** Far less than the distance between two time zones. */
const CLOSE_MS = 600_000;

const near = (time: string, expected: number) => expect(Math.abs(Date.parse(time) - expected)).toBeLessThan(CLOSE_MS);

/**
 * The main journeys, one after the other: find a product, hear of its stock, buy it, read the order; register, log in, follow
 * a mail. Checks values that would be others if a connection had settings that the shop does not expect.
 */
export async function goMainJourneys(shop: TestShop): Promise<void> {
  const world = { db: shop.db, eventLog: shop.app.eventLog };
  const title = 'Crème brûlée \\ honey’s';
  const sku = `JRN-${Math.random().toString(36).slice(2)}`;
  const product = await makeProduct(world, {
    title,
    tags: ['NULL', 'a\\b'],
    variants: [{ sku, price: 1250, onHand: 9 }],
  });
  const visitor = shop.client();
  const found = await visitor.data<{ products: { nodes: { title: string; tags: string[] }[] } }>(
    '{ products(first: 5, filter: { search: "creme brulee" }) { nodes { title tags } } }',
  );
  expect(found.products.nodes).toContainEqual({ title, tags: ['NULL', 'a\\b'] });

  const heard = await watchNow<{ stockChanged: { available: number; occurredAt: string } }>(
    shop,
    'WebSocket',
    `subscription { stockChanged(variantIds: ["${known(product.variants[0]).globalId}"]) { available occurredAt } }`,
  );
  const shopper = await enter(shop);
  const cart = known((await shopper.add({ sku, quantity: 2 })).cart);
  near(known(cart.expiresAt), Date.now() + QUARTER_OF_AN_HOUR_MS);
  const again = known((await shopper.add({ sku, quantity: 1 })).cart);
  expect(again.totalQuantity).toBe(3);
  const request = {
    idempotencyKey: 'journey',
    email: 'buyer@example.com',
    shippingAddress: {
      name: 'O’Brien \\ "Söhne"',
      line1: '1 Hive Lane',
      city: 'Zürich',
      postalCode: '8001',
      countryCode: 'CH',
    },
  };
  const { order, errors } = await shopper.checkout(request);
  expect(errors).toEqual([]);
  const placed = known(order);
  expect([placed.total.amount, placed.shippingAddress?.name, placed.status]).toEqual([
    '37.50',
    'O’Brien \\ "Söhne"',
    'PLACED',
  ]);
  for (const time of [placed.placedAt, placed.updatedAt, ...placed.history.map((step) => step.occurredAt)])
    near(time, Date.now());
  const repeated = await shopper.checkout(request);
  expect(repeated.order?.number).toBe(placed.number);
  await until('the sale is heard of', async () => {
    const { available, occurredAt } = (await heard.events.take()).stockChanged;
    near(occurredAt, Date.now());
    return available === 6;
  });
  heard.stop();

  const person = await newPerson(shop);
  expect(await whoIs(person.client)).toBe(person.email);
}

/** Waits until a job of the queue has run: the mail of an order has gone out. */
export async function orderIsWrittenOf(shop: TestShop): Promise<void> {
  await until('the mail of the order is sent', async () => {
    const [row] = await shop.db.query<{ sent: bigint }>({
      name: 'journey_mails',
      text: "SELECT count(*) AS sent FROM mails WHERE status = 'SENT'",
    });
    return Number(row?.sent ?? 0) > 0;
  });
}

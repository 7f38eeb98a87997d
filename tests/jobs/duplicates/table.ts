import { v7 as uuid } from 'uuid';
import type { NewEvent } from '../../../src/events/event.ts';
import {
  emailConfirmationRequested,
  passwordChanged,
  passwordResetRequested,
  userRegistered,
} from '../../../src/modules/accounts/account.events.ts';
import { cartChanged } from '../../../src/modules/cart/cart.events.ts';
import { productChanged } from '../../../src/modules/catalog/catalog.events.ts';
import {
  backInStock,
  lowStock,
  stockChanged,
  stockRecovered,
} from '../../../src/modules/inventory/inventory.events.ts';
import { orderLinkRequested, orderPlaced, orderStatusChanged } from '../../../src/modules/orders/order.events.ts';
import {
  authorizationLapsing,
  paymentFailed,
  paymentReceivedLate,
  refundSucceeded,
} from '../../../src/modules/payments/payment.events.ts';
import { newEmail, newPerson, newStaff } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { deliver, deliveriesOf, newEntryId, productOf } from '../../support/contentful.ts';
import { levelOf, makeOverdue, makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { mailState, writeMail } from '../../support/mails.ts';
import type { QuietShop } from '../../support/quiet-shop.ts';
import { startPayment } from '../../support/payer.ts';
import { enter, rowId, shopperOf } from '../../support/shopper.ts';
import type { TestSmtp } from '../../support/smtp.ts';
import { alertsOf, mailsOf, restock, signUpMany } from '../../support/stock-alerts.ts';

/*
 * Every consumer and every job of the shop has rows here, and each row is run more than once: whatever comes twice has one
 * effect. One that is added without a row fails the test beside this file.
 *
 * To add one, write a row under its name:
 * - `given` sets the scene, in a shop in which nothing runs by itself, and gives what comes: to a consumer an event (a
 *   consumer of several types has a row for each), to a job its payload;
 * - `effect` looks at what came of it;
 * - `expected` is what that is, after one time and after many. Say how many there are of what is made: an effect that looks
 *   the same when it is doubled shows nothing.
 * Beside that the test compares all tables of the shop before the second time and after the last; name in `changes` those
 * that may change (a row's time of the last attempt, say).
 */

/** The scene of a row. Its mails go to the server. */
export type Scene = QuietShop & World & { smtp: TestSmtp };

interface Row<Given> {
  given(scene: Scene): Promise<{ comes: Given; effect: () => Promise<unknown> }>;
  expected: unknown;
  /** Tables that are not the same after the second time, for a good reason; none by default. */
  changes?: readonly string[];
}

/** By the consumer's name, and the type of the event. */
export const consumers: Readonly<Record<string, Readonly<Record<string, Row<NewEvent>>>>> = {
  'low-stock-notices': {
    [lowStock.type]: {
      async given(scene) {
        const { cartIds, variant } = await twoCarts(scene);
        const { id: variantId, productId } = variant;
        const low = { variantId, productId, available: 2, threshold: 3, cartId: null };
        return { comes: lowStock.of(variantId, low), effect: () => toldOf(scene, cartIds) };
      },
      expected: { notices: 2, marked: 2 },
    },
    [stockRecovered.type]: {
      async given(scene) {
        const { cartIds, variant } = await twoCarts(scene);
        const { id: variantId, productId } = variant;
        await rowsOf(scene.db, 'UPDATE cart_lines SET low_stock_notified_at = clock_timestamp()');
        const recovered = { variantId, productId, available: 9, threshold: 3 };
        return { comes: stockRecovered.of(variantId, recovered), effect: () => toldOf(scene, cartIds) };
      },
      expected: { notices: 0, marked: 0 },
    },
  },

  'mail-notices': {
    [orderPlaced.type]: {
      async given(scene) {
        const { orderId, email } = await guestOrder(scene);
        return { comes: orderPlaced.of(orderId, { orderId }), effect: () => mailsTo(scene, email) };
      },
      expected: ['order-placed'],
    },
    [orderStatusChanged.type]: {
      async given(scene) {
        const { orderId, email } = await guestOrder(scene);
        const moved = { orderId, from: 'PLACED', to: 'FULFILLED' } as const;
        return { comes: orderStatusChanged.of(orderId, moved), effect: () => mailsTo(scene, email) };
      },
      expected: ['order-status-changed'],
    },
    [orderLinkRequested.type]: {
      async given(scene) {
        const { orderId, email } = await guestOrder(scene);
        return { comes: orderLinkRequested.of(orderId, { orderId }), effect: () => mailsTo(scene, email) };
      },
      expected: ['order-link'],
    },
    [paymentFailed.type]: aboutPayment((of) => paymentFailed.of(of.paymentId, { ...of, late: true }), 'payment-failed'),
    [paymentReceivedLate.type]: aboutPayment((of) => paymentReceivedLate.of(of.paymentId, of), 'payment-received-late'),
    [refundSucceeded.type]: aboutPayment(
      (of) => refundSucceeded.of(of.paymentId, { ...of, refundId: uuid() }),
      'refund-succeeded',
    ),
    [authorizationLapsing.type]: {
      async given(scene) {
        const { of } = await paidOrder(scene);
        const { email } = await newStaff(scene);
        return { comes: authorizationLapsing.of(of.paymentId, of), effect: () => mailsTo(scene, email) };
      },
      expected: ['authorization-lapsing'],
    },
    [cartChanged.type]: {
      async given(scene) {
        const variant = await makeVariant(scene, { onHand: 10 });
        const { client, email, userId } = await newPerson(scene);
        const { cart } = await shopperOf(client).add({ variantId: variant.globalId, quantity: 1 });
        const cartId = rowId(known(cart).id);
        const low = { kind: 'LOW_STOCK', version: 1, variantId: variant.id } as const;
        const comes = cartChanged.of(cartId, { cartId, guestId: null, userId: rowId(userId), ...low });
        return { comes, effect: () => mailsTo(scene, email) };
      },
      expected: ['low-stock'],
    },
    [userRegistered.type]: toPerson((userId) => userRegistered.of(userId, { userId }), 'welcome'),
    [emailConfirmationRequested.type]: toPerson(
      (userId) => emailConfirmationRequested.of(userId, { userId }),
      'confirm-address',
    ),
    [passwordChanged.type]: toPerson((userId) => passwordChanged.of(userId, { userId }), 'password-changed'),
    [passwordResetRequested.type]: toPerson(
      (userId) => passwordResetRequested.of(userId, { userId, resetId: uuid() }),
      'password-reset',
    ),
  },

  'stock-alert-chains': {
    [backInStock.type]: {
      async given(scene) {
        const { id: variantId, productId } = await waitedFor(scene);
        const comes = backInStock.of(variantId, { variantId, productId, available: 2 });
        return { comes, effect: () => chainsOf(scene, variantId) };
      },
      expected: [{ batchLeft: 0 }],
    },
    [productChanged.type]: {
      async given(scene) {
        const { id: variantId, productId } = await waitedFor(scene);
        return { comes: productChanged.of(productId, { productId }), effect: () => chainsOf(scene, variantId) };
      },
      expected: [{ batchLeft: 0 }],
    },
  },

  'outside-stock-shortfalls': {
    [stockChanged.type]: {
      async given(scene) {
        const { id: variantId, productId, globalId } = await makeVariant(scene, { onHand: 10 });
        const guest = await enter(scene);
        const { cart } = await guest.add({ variantId: globalId, quantity: 4 });
        const { outsideStock } = scene.app.services;
        await scene.db.transaction((tx) =>
          outsideStock.take(tx, { variantId, source: 'contentful', stock: { kind: 'COUNT', quantity: 1 } }),
        );
        await guest.remove(known(known(cart).lines[0]).id);
        const effect = async () => {
          const taken = await rowsOf<{ units: number }>(
            scene.db,
            `SELECT on_hand_delta AS units FROM stock_movements WHERE reason = 'SYNC' AND variant_id = $1 ORDER BY id`,
            [variantId],
          );
          const owed = await outsideStock.shortfalls([variantId]);
          return { taken: taken.map(({ units }) => units), owed: owed.size, level: await levelOf(scene, variantId) };
        };
        return {
          comes: stockChanged.of(variantId, { variantId, productId, available: 4, previousAvailable: 0 }),
          effect,
        };
      },
      expected: { taken: [-6, -3], owed: 0, level: { onHand: 1, held: 0, available: 1 } },
    },
  },
};

/** By the job's name. */
export const jobs: Readonly<Record<string, Row<unknown>>> = {
  'cart-expiry': {
    async given(scene) {
      const { cartIds, variant } = await twoCarts(scene);
      await makeOverdue(scene, cartIds);
      const effect = async () => {
        const released = await rowsOf(
          scene.db,
          `SELECT held_delta FROM stock_movements WHERE reason = 'RELEASE' AND variant_id = $1`,
          [variant.id],
        );
        const notices = await rowsOf(
          scene.db,
          `SELECT FROM event_log WHERE payload->>'kind' = 'EXPIRED' AND subject_id = ANY($1::uuid[])`,
          [cartIds],
        );
        return { released: released.length, notices: notices.length, level: await levelOf(scene, variant.id) };
      };
      return { comes: { second: Math.floor(Date.now() / 1000) }, effect };
    },
    expected: { released: 2, notices: 2, level: { onHand: 10, held: 0, available: 10 } },
  },

  'product-import': {
    async given(scene) {
      const { productImports } = scene.app.services;
      const { userId } = await newPerson(scene);
      const name = uuid();
      const content = `Handle,Title,Variant SKU,Variant Price\n${name}-1,One,${name}-1,1.00\n${name}-2,Two,${name}-2,much\n`;
      const { id } = await productImports.create(rowId(userId), { fileName: 'twice.csv', content });
      await productImports.start(rowId(userId), id, false);
      const effect = async () => {
        const made = await rowsOf(scene.db, 'SELECT FROM products WHERE slug LIKE $1', [`${name}-%`]);
        const [row] = await productImports.byIds([id]);
        const { status, made: created, refused, findings } = known(row);
        const { rows: report } = await productImports.findings(id, { limit: 10, direction: 'forward', cursor: null });
        return { made: made.length, status, created, refused, findings, reported: report.length };
      };
      return { comes: { importId: id }, effect };
    },
    expected: { made: 1, status: 'COMPLETED', created: 1, refused: 1, findings: 1, reported: 1 },
  },

  mail: {
    async given(scene) {
      const { email: recipient, userId: globalUserId } = await newPerson(scene);
      const userId = rowId(globalUserId);
      const mailId = await writeMail(scene, { template: 'welcome', recipient, userId, data: { userId } });
      const effect = async () => {
        const { status, attempts, settled } = await mailState(scene, mailId);
        const arrived = scene.smtp.arrived.filter(({ to }) => to.includes(recipient));
        return { status, attempts, settled, arrived: arrived.length };
      };
      return { comes: { mailIds: [mailId] }, effect };
    },
    expected: { status: 'SENT', attempts: 1, settled: true, arrived: 1 },
  },

  'stock-alerts': {
    async given(scene) {
      const { id: variantId } = await waitedFor(scene);
      await scene.db.transaction((tx) =>
        scene.app.services.stockAlerts.start(tx, { variantIds: [variantId], productIds: [] }),
      );
      const effect = async () => ({
        notified: (await alertsOf(scene.db, variantId)).notified,
        mails: await mailsOf(scene.db, variantId),
        chains: await chainsOf(scene, variantId),
      });
      return { comes: { variantId }, effect };
    },
    expected: {
      notified: ['waiter-000001@example.com', 'waiter-000002@example.com'],
      mails: ['waiter-000001@example.com', 'waiter-000002@example.com'],
      chains: [{ batchLeft: 0 }],
    },
  },

  'payment-operation': {
    async given(scene) {
      const { payments, paymentProviders } = scene.app.services;
      const variant = await makeVariant(scene, { onHand: 10 });
      const guest = await enter(scene);
      await guest.add({ variantId: variant.globalId, quantity: 1 });
      await guest.setEmail(newEmail());
      const { id } = await startPayment(guest.client);
      const provider = known(paymentProviders.test);
      const reference = known(known((await payments.byIds([rowId(id)]))[0]).reference);
      await provider.page.choose(reference, 'pay');
      await payments.sync(rowId(id));
      const operations = await payments.operationsOf(rowId(id));
      const effect = async () => {
        const [payment] = await payments.byIds([rowId(id)]);
        const entries = await rowsOf(scene.db, `SELECT FROM money_entries WHERE payment_id = $1`, [rowId(id)]);
        return { state: payment?.state, captured: payment?.capturedMinor, entries: entries.length };
      };
      return { comes: { operationId: known(operations.find(({ kind }) => kind === 'CAPTURE')).id }, effect };
    },
    expected: { state: 'CAPTURED', captured: 1000n, entries: 2 },
  },

  'webhook-delivery': {
    async given(scene) {
      const id = newEntryId();
      await deliver(scene, { id, fields: { title: 'Honey', slug: `honey-${id}`, price: 5, stock: 7 } });
      const [delivery] = await deliveriesOf(scene, id);
      const effect = async () => {
        const deliveries = await deliveriesOf(scene, id);
        const products = await rowsOf(scene.db, 'SELECT FROM products WHERE slug = $1', [`honey-${id}`]);
        const product = await productOf(scene, id);
        const moved = await rowsOf<{ units: number }>(
          scene.db,
          'SELECT on_hand_delta AS units FROM stock_movements WHERE variant_id = $1',
          [product?.variantId],
        );
        return {
          statuses: deliveries.map(({ status }) => status),
          products: products.length,
          moved: moved.map(({ units }) => units),
          onHand: product?.onHand,
        };
      };
      return { comes: { deliveryId: known(delivery).id }, effect };
    },
    expected: { statuses: ['APPLIED'], products: 1, moved: [7], onHand: 7 },
  },
};

/** An event of somebody's account, of which one mail comes. */
function toPerson(of: (userId: string) => NewEvent, template: string): Row<NewEvent> {
  return {
    async given(scene) {
      const { email, userId } = await newPerson(scene);
      return { comes: of(rowId(userId)), effect: () => mailsTo(scene, email) };
    },
    expected: [template],
  };
}

/** An order that was paid outside of the shop, as events of its payment name it. */
async function paidOrder(scene: Scene) {
  const { orderId, email } = await guestOrder(scene);
  const { orders, payments } = scene.app.services;
  await orders.markAsPaid({ orderId, by: { by: 'SHOP' }, note: null });
  const paymentId = known((await payments.ofOrders([orderId]))[0]).id;
  return { of: { paymentId, orderId, guestId: null, userId: null }, email };
}

/** A row about a payment, whose mail goes to the address of the order. */
function aboutPayment(
  event: (of: Awaited<ReturnType<typeof paidOrder>>['of']) => NewEvent,
  template: string,
): Row<NewEvent> {
  return {
    async given(scene) {
      const { of, email } = await paidOrder(scene);
      return { comes: event(of), effect: () => mailsTo(scene, email) };
    },
    expected: [template],
  };
}

/** What stands in rows for an address: the template of each mail. */
async function mailsTo({ db }: Scene, email: string): Promise<string[]> {
  const rows = await rowsOf<{ template: string }>(db, 'SELECT template FROM mails WHERE recipient = $1', [email]);
  return rows.map(({ template }) => template);
}

async function guestOrder(scene: Scene): Promise<{ orderId: string; email: string }> {
  const variant = await makeVariant(scene, { onHand: 10 });
  const guest = await enter(scene);
  await guest.add({ variantId: variant.globalId, quantity: 1 });
  const email = newEmail();
  const { order } = await guest.checkout({ idempotencyKey: uuid(), email });
  return { orderId: rowId(known(order).id), email };
}

/** Two units of something that three shoppers wait for, of whom none has been notified. */
async function waitedFor(scene: Scene): Promise<{ id: string; productId: string }> {
  const variant = await makeVariant(scene, { onHand: 0 });
  await signUpMany(scene.db, variant.id, 3);
  await restock({ db: scene.db, inventory: scene.app.services.inventory }, variant.id, 2);
  return variant;
}

function chainsOf({ db }: Scene, variantId: string): Promise<{ batchLeft: number }[]> {
  return rowsOf(db, 'SELECT batch_left AS "batchLeft" FROM stock_alert_chains WHERE variant_id = $1', [variantId]);
}

/** Two guests with four units each in their carts. */
async function twoCarts(scene: Scene) {
  const variant = await makeVariant(scene, { onHand: 10 });
  const cartIds: string[] = [];
  for (let index = 0; index < 2; index += 1) {
    const { cart, errors } = await (await enter(scene)).add({ variantId: variant.globalId, quantity: 4 });
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    cartIds.push(rowId(known(cart).id));
  }
  return { variant, cartIds };
}

/** How often the owners of carts were notified that something runs low, and how many lines say so. */
async function toldOf({ db }: Scene, cartIds: readonly string[]) {
  const notices = await rowsOf(
    db,
    `SELECT FROM event_log WHERE type = 'cart_changed' AND payload->>'kind' = 'LOW_STOCK' AND subject_id = ANY($1::uuid[])`,
    [cartIds],
  );
  const marked = await rowsOf(
    db,
    'SELECT FROM cart_lines WHERE cart_id = ANY($1::uuid[]) AND low_stock_notified_at IS NOT NULL',
    [cartIds],
  );
  return { notices: notices.length, marked: marked.length };
}

import { v7 as uuid } from 'uuid';
import type { NewEvent } from '../../src/events/event.ts';
import {
  emailConfirmationRequested,
  passwordChanged,
  passwordResetRequested,
} from '../../src/modules/accounts/account.events.ts';
import { cartChanged } from '../../src/modules/cart/cart.events.ts';
import { orderStatusChanged } from '../../src/modules/orders/order.events.ts';
import type { Letter } from '../../src/modules/mail/mail.types.ts';
import { newPerson } from './accounts.ts';
import { makeProduct } from './fixtures.ts';
import { known } from './known.ts';
import { appendEvents, openLetters, takeNotice, type Mail } from './mail-notices.ts';
import type { QuietShop } from './quiet-shop.ts';
import { enter, rowId } from './shopper.ts';

/** The texts of people that stand in letters. */
export interface Texts {
  title: string;
  option: string;
  sku: string;
  name: string;
  note: string;
  picture: string;
}

/** Every letter there is, as it comes of what happens, with the mail that it was made of. */
export async function writeEveryLetter(
  shop: QuietShop,
  texts: Texts,
): Promise<{ name: string; mail: Mail; letter: Letter }[]> {
  const ada = await newPerson(shop, { name: 'Ada' });
  const userId = rowId(ada.userId);
  await shop.db.query(
    { name: 'fixture_name', text: 'UPDATE users SET name = $2, email_verified_at = clock_timestamp() WHERE id = $1' },
    [userId, texts.name],
  );
  const fresh = rowId((await newPerson(shop, { name: 'Grace' })).userId);
  const product = await makeProduct(shop, {
    title: texts.title,
    images: [{ url: texts.picture, altText: null }],
    variants: [
      { sku: texts.sku, price: 129_900, onHand: 50, options: [{ name: 'Size', value: texts.option }] },
      { sku: `${texts.sku.slice(0, 40)}-2`, price: 499, onHand: 50, options: [{ name: 'Size', value: 'Small' }] },
    ],
  });
  const [large, small] = [known(product.variants[0]), known(product.variants[1])];
  const guest = await enter(shop);
  await guest.add({ variantId: large.globalId, quantity: 2 }, { variantId: small.globalId, quantity: 12 });
  const { order } = await guest.checkout({
    idempotencyKey: uuid(),
    email: 'guest@example.com',
    shippingAddress: {
      name: texts.name,
      line1: '12 Long Lane',
      line2: 'Flat 4',
      city: 'London',
      postalCode: 'N1 9GU',
      countryCode: 'GB',
    },
  });
  const orderId = rowId(known(order).id);
  const steps = ['FULFILLED', 'DELIVERED', 'CANCELLED'] as const;
  for (const to of steps) {
    await shop.db.query(
      {
        name: 'fixture_step',
        text: `INSERT INTO order_status_changes (order_id, from_status, to_status, note, occurred_at)
               VALUES ($1, 'PLACED', $2::text::order_status, $3, clock_timestamp())`,
      },
      [orderId, to, to === 'CANCELLED' ? texts.note : null],
    );
  }
  // As one who works here: the reason that anybody else gives stands in no letter.
  await shop.db.query(
    {
      name: 'fixture_action',
      text: `INSERT INTO staff_actions (kind, subject_type, subject_id, occurred_at)
             VALUES ('ORDER_CANCELLED', 'Order', $1, clock_timestamp())`,
    },
    [orderId],
  );
  const holder = await enter(shop);
  const { cart } = await holder.add({ variantId: large.globalId, quantity: 1 });
  await holder.setEmail('holder@example.com');
  const cartId = rowId(known(cart).id);
  const events: NewEvent[] = [
    ...steps.map((to) => orderStatusChanged.of(orderId, { orderId, from: 'PLACED', to })),
    cartChanged.of(cartId, {
      cartId,
      guestId: uuid(),
      userId: null,
      kind: 'LOW_STOCK',
      version: 2,
      variantId: large.id,
    }),
    emailConfirmationRequested.of(fresh, { userId: fresh }),
    passwordChanged.of(userId, { userId }),
    passwordResetRequested.of(userId, { userId, resetId: uuid() }),
  ];
  await appendEvents(shop, ...events);
  await takeNotice(shop);
  const alerts: [string, string][] = [
    [uuid(), large.id],
    [uuid(), (await soldOut(shop, texts)).id],
  ];
  for (const [id, variantId] of alerts) await addAlert(shop, id, variantId);
  const mails = await takeNotice(shop);
  const letters = openLetters(shop);
  const written: { name: string; mail: Mail; letter: Letter }[] = [];
  for (const [index, mail] of mails.entries()) {
    const letter = known(await letters.compose(mail), `the letter of ${mail.template}`);
    written.push({ name: `${String(index).padStart(2, '0')}-${mail.template}`, mail, letter });
  }
  return written;
}

async function soldOut(shop: QuietShop, texts: Texts): Promise<{ id: string }> {
  const product = await makeProduct(shop, { title: texts.title, variants: [{ onHand: 0 }] });
  return known(product.variants[0]);
}

async function addAlert({ db, app }: QuietShop, id: string, variantId: string): Promise<void> {
  const email = 'waiting@example.com';
  await db.query(
    {
      name: 'fixture_alert',
      text: `INSERT INTO stock_alerts (id, variant_id, email, status, created_at, notified_at)
             VALUES ($1, $2, $3, 'NOTIFIED', clock_timestamp(), clock_timestamp())`,
    },
    [id, variantId, email],
  );
  const mail = {
    cause: `alert:${id}`,
    template: 'back-in-stock',
    recipient: email,
    userId: null,
    data: { alertId: id },
  } as const;
  await db.transaction((tx) => app.services.mails.write(tx, new Date(), [mail]));
}

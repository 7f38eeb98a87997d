import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import type { Client } from '../../support/client.ts';
import { makeOverdue, makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import type { QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId, shopperOf, type Shopper } from '../../support/shopper.ts';

/** Who asks: a guest, the customer whose things they are, another customer, and who works here. */
export const everybody = ['guest', 'customer', 'another', 'staff', 'admin'] as const;
export type Who = (typeof everybody)[number];

/** What a row of the table has to work with: its own caller, and the customer whose things are asked for. */
export interface Scene {
  shop: QuietShop & World;
  caller: Client;
  owner: Person;
}

/** Sets a scene that nothing else plays in, unless it is given an owner. */
export async function setScene(shop: QuietShop & World, who: Who, given?: Person): Promise<Scene> {
  const owner = given ?? (await newPerson(shop));
  return { shop, owner, caller: await callerOf(shop, who, owner) };
}

async function callerOf(shop: QuietShop & World, who: Who, owner: Person): Promise<Client> {
  if (who === 'guest') return (await enter(shop)).client;
  if (who === 'customer') return owner.client;
  if (who === 'another') return (await newPerson(shop)).client;
  return (await newStaff(shop, who === 'admin' ? 'ADMIN' : 'STAFF')).client;
}

/** A variant with ten units, of a product of its own. */
export const variant = async ({ shop }: Scene) => makeVariant(shop);

/** Puts one unit in somebody's cart; gives the cart's ID and the line's. */
export async function fillCart(scene: Scene, client: Client): Promise<{ cart: string; line: string }> {
  const { globalId } = await variant(scene);
  // Other calls have made shipping methods, for which a checkout would need an address.
  await scene.shop.db.query({ text: 'DELETE FROM shipping_methods' });
  const { cart } = await shopperOf(client).add({ variantId: globalId, quantity: 1 });
  return { cart: known(cart).id, line: known(known(cart).lines[0]).id };
}

/** An order of the owner's. */
export async function placeOrder(scene: Scene): Promise<{ id: string; accessToken: string; line: string }> {
  await fillCart(scene, scene.owner.client);
  return checkOut(shopperOf(scene.owner.client));
}

/** An order of a guest who has gone, with the address that it was made with. */
export async function placeGuestOrder(scene: Scene, email: string): Promise<{ id: string; number: string }> {
  const guest = await enter(scene.shop);
  await fillCart(scene, guest.client);
  const { id } = await checkOut(guest, email);
  const [row] = await scene.shop.db.query<{ number: bigint }>(
    { name: 'scene_order_number', text: 'SELECT number FROM orders WHERE id = $1' },
    [rowId(id)],
  );
  return { id, number: String(row?.number) };
}

async function checkOut(shopper: Shopper, email?: string) {
  const idempotencyKey = crypto.randomUUID();
  const { order } = await shopper.checkout(email === undefined ? { idempotencyKey } : { idempotencyKey, email });
  const { id, accessToken, lines } = known(order);
  return { id, accessToken: known(accessToken), line: known(lines[0]).id };
}

/** A cart of the owner's whose time is over. */
export async function expireCart(scene: Scene): Promise<string> {
  const { cart } = await fillCart(scene, scene.owner.client);
  await makeOverdue(scene.shop, [rowId(cart)]);
  await scene.shop.expireOverdue();
  return cart;
}

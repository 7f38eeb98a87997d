import { createCombiner, SHARED_READ } from '../../infra/combiner.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { toAddress } from '../addresses/address.types.ts';
import { fullTitle } from '../catalog/catalog.service.ts';
import { formatMoney } from '../money.ts';
import { sumByPromotion, sumByRate } from '../pricing/sums.ts';
import { totalOfLine } from '../pricing/totals.ts';
import { dayInWords, linesOf, oneLine, strangersLine } from './letter-text.ts';
import * as repository from './letters.repository.ts';
import type { Links } from './links.ts';

/*
 * What letters show, read when they are written: finished texts, each fit to stand in one line.
 */

/** One line of an order. */
export interface LineView {
  title: string;
  sku: string;
  quantity: string;
  total: string;
}

/** An order. */
export interface OrderView {
  number: string;
  placedOn: string;
  lines: LineView[];
  /** What the total is made of, from the subtotal on; empty where there are only lines. */
  parts: { title: string; amount: string }[];
  total: string;
  /** Line by line; empty where nothing is sent. */
  address: string[];
}

/** As many lines as a cart may have. */
const MOST_LINES = 100;

/** Finds an order to show; null if there is none. `readAt` is the time by the database's clock. */
export type OrderViewer = (orderId: string) => Promise<{ order: OrderView; readAt: Date } | null>;

/** Makes the function that reads orders. Those that are asked for while others are read are read together. */
export function createOrderViewer(source: Queryable): OrderViewer {
  const reader = createCombiner<string, repository.OrderRow | null>({
    ...SHARED_READ,
    async run(ids) {
      const found = new Map((await repository.findOrders(source, ids, MOST_LINES)).map((row) => [row.id, row]));
      return ids.map((id) => ({ status: 'fulfilled', value: found.get(id) ?? null }));
    },
  });
  return async (orderId) => {
    const row = await reader.submit(orderId);
    // Each caller by itself, so that an order that cannot be shown fails its own email only.
    return row === null ? null : { order: viewOf(row), readAt: row.readAt };
  };
}

function viewOf(order: repository.OrderRow): OrderView {
  const { currency, lines } = order;
  const money = (minor: bigint) => formatMoney({ minor, currency });
  return {
    number: String(order.number),
    placedOn: dayInWords(order.placedAt),
    lines: lines.map((line) => ({
      title: oneLine(line.title),
      sku: oneLine(line.sku, 100),
      quantity: `${line.quantity} × ${money(BigInt(line.unitPriceMinor))}`,
      total: money(totalOfLine({ ...line, reliefMinor: BigInt(line.reliefMinor) })),
    })),
    parts: partsOf(order, money),
    total: money(order.totalMinor),
    address: addressOf(order),
  };
}

/** Rows with their amounts as numbers. */
function exact<T extends { amountMinor: string }>(
  rows: readonly T[],
): (Omit<T, 'amountMinor'> & { amountMinor: bigint })[] {
  return rows.map((row) => ({ ...row, amountMinor: BigInt(row.amountMinor) }));
}

/** What an order costs, part by part. */
function partsOf(order: repository.OrderRow, money: (minor: bigint) => string): OrderView['parts'] {
  const { discounts, taxes, shippingMinor, shippingMethodTitle, pricesIncludeTax } = order;
  if (discounts.length === 0 && taxes.length === 0 && shippingMinor === 0n && shippingMethodTitle === null) return [];
  return [
    { title: 'Subtotal', amount: money(order.subtotalMinor) },
    ...sumByPromotion(exact(discounts)).map(({ title, amountMinor }) => ({
      title: oneLine(title),
      amount: money(-amountMinor),
    })),
    ...(shippingMethodTitle === null
      ? []
      : [{ title: `Shipping: ${oneLine(shippingMethodTitle)}`, amount: money(shippingMinor) }]),
    ...sumByRate(exact(taxes)).map(({ title, amountMinor }) => ({
      title: pricesIncludeTax ? `Includes ${oneLine(title)}` : oneLine(title),
      amount: money(amountMinor),
    })),
  ];
}

/** How many digits a line of an address may have: a house number or a postal code, and no telephone number. */
const MOST_DIGITS = { name: 3, place: 6 };

/**
 * The postal address, line by line. Anyone can order to a stranger's e-mail address, so the letter shows the address as it was typed
 * only if the e-mail address is known to belong to the person who typed it.
 */
function addressOf(order: repository.OrderRow): string[] {
  const address = toAddress(order);
  if (address === null) return [];
  const { isConfirmed } = order;
  const { name, line1, line2, postalCode, city, region, countryCode } = address;
  const shown = (text: string | null, digits: number) =>
    isConfirmed ? oneLine(text ?? '') : strangersLine(text ?? '', { digits });
  const place = [postalCode, city].filter((part) => part !== '').join(' ');
  return [
    shown(name, MOST_DIGITS.name),
    ...[line1, line2, place, region].map((part) => shown(part, MOST_DIGITS.place)),
    countryCode,
  ].filter((line) => line !== '');
}

/**
 * The note of staff on a step of an order, line by line; empty without a note. The reason that a customer gave for a cancellation is
 * part of the order's history but of no letter: the customer knows it, and the address may be a stranger's.
 */
export async function viewNote(source: Queryable, orderId: string, to: string): Promise<string[]> {
  const step = await repository.findStep(source, orderId, to);
  return step?.note == null || !step.byStaff ? [] : linesOf(step.note);
}

/** A payment. */
export interface PaymentView {
  amount: string;
  /** Null where no order was placed. */
  orderNumber: string | null;
  /** Over without an order and without a reason to write: the shopper cancelled it, or never paid. */
  isForgotten: boolean;
  /** The bank agreed when it was too late, or to another amount: the money goes back. */
  isReturned: boolean;
  wasCaptured: boolean;
  lapsesOn: string | null;
  refund: { amount: string; note: string[] } | null;
}

/** Reads a payment. */
export async function viewPayment(
  source: Queryable,
  paymentId: string,
  refundId: string | null = null,
): Promise<PaymentView | null> {
  const row = await repository.findPayment(source, paymentId, refundId);
  if (row === null) return null;
  const { currency, refundMinor, refundReason } = row;
  return {
    amount: formatMoney({ minor: row.amountMinor, currency }),
    orderNumber: row.number === null ? null : String(row.number),
    isForgotten: row.state === 'CANCELLED' && row.returnReason === null,
    isReturned: row.returnReason !== null,
    wasCaptured: row.capturedMinor > 0n,
    lapsesOn: row.lapsesAt === null ? null : dayInWords(row.lapsesAt),
    refund:
      refundMinor === null
        ? null
        : {
            amount: formatMoney({ minor: refundMinor, currency }),
            note: refundReason !== null && row.byStaff === true ? linesOf(refundReason) : [],
          },
  };
}

/** A variant. */
export interface ProductView {
  title: string;
  picture: string | null;
  /** Where it is shown; null without a storefront. */
  url: string | null;
  isAvailable: boolean;
}

function viewProduct(row: repository.VariantRow, links: Links): ProductView {
  return {
    title: oneLine(fullTitle(row)),
    picture: row.picture === null ? null : links.picture(row.picture),
    url: links.product(row.slug),
    isAvailable: row.available > 0,
  };
}

/** What runs low in somebody's cart, and until when it is kept there. */
export async function viewInCart(
  source: Queryable,
  links: Links,
  { cartId, variantId }: { cartId: string; variantId: string },
): Promise<{ product: ProductView; keptUntil: Date } | null> {
  const row = await repository.findInCart(source, cartId, variantId);
  return row === null ? null : { product: viewProduct(row, links), keptUntil: row.expiresAt };
}

/** The variant that a stock alert is for. */
export async function viewOfAlert(source: Queryable, links: Links, alertId: string): Promise<ProductView | null> {
  const row = await repository.findOfAlert(source, alertId);
  return row === null ? null : viewProduct(row, links);
}

/** A user, as shown in emails. */
export interface UserView {
  /** Null until the address is confirmed: text that the registering person chose must not be sent to another person's address. */
  name: string | null;
  email: string;
  isConfirmed: boolean;
}

/** Reads a user. */
export async function viewUser(source: Queryable, userId: string): Promise<UserView | null> {
  const row = await repository.findUser(source, userId);
  if (row === null) return null;
  return { name: row.isConfirmed ? oneLine(row.name, 80) : null, email: row.email, isConfirmed: row.isConfirmed };
}

import type { Cursor } from '../events/cursor.ts';
import type { EventFeed } from '../events/feed.ts';
import type { EventLog } from '../events/event-log.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { Database } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { GuestService } from '../modules/accounts/guest.service.ts';
import type { CartService } from '../modules/cart/cart.service.ts';
import type { CatalogService } from '../modules/catalog/catalog.service.ts';
import type { OrderService } from '../modules/orders/order.service.ts';
import type { Loaders } from './loaders.ts';

/** The use cases that resolvers call. One of each per process. */
export interface Services {
  guests: GuestService;
  catalog: CatalogService;
  cart: CartService;
  orders: OrderService;
}

/** A guest, and how we know: by the header or by connectionParams, by the cookie, or made in this very operation. */
export interface Guest {
  id: string;
  token: string;
  knownBy: 'header' | 'cookie' | 'creation';
}

/** Who is asking. A mutation that makes the guest sets it, for the fields that follow in the same operation. */
export interface Viewer {
  guest: Guest | null;
}

/** What is the same for all operations of a process. */
export interface SharedContext {
  db: Database;
  prisma: PrismaClient;
  services: Services;
  eventLog: EventLog;
  feed: EventFeed;
  shop: { name: string; currency: string };
  /** Where the outside reaches the shop, for links; an origin without a slash at its end. */
  publicUrl: string;
}

/** What each operation is executed with. Subscriptions get fresh loaders for every event. */
export interface Context extends SharedContext {
  viewer: Viewer;
  loaders: Loaders;
  logger: Logger;
  requestId: string;
  /** The log's end from before execution began, where the operation asks for it. */
  eventCursor: Cursor | null;
  /** Orders that this operation was shown, by what right: see orders.graphql.ts. */
  orderGrants: Map<string, OrderGrant>;
  /** Hands the guest's token over as a cookie with the answer. */
  setCartCookie(token: string): void;
}

/** By what right an order is seen: as its owner, by its access token, or by its number and e-mail. */
export type OrderGrant = 'OWNER' | 'ACCESS_TOKEN' | 'NUMBER_AND_EMAIL';

import type { Config } from '../config/config.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Database } from '../infra/database.ts';
import { createGuestService, type GuestService } from './accounts/guest.service.ts';
import { createCartService, type CartService } from './cart/cart.service.ts';
import { createCatalogService, type CatalogService } from './catalog/catalog.service.ts';
import { createInventoryService, type InventoryService } from './inventory/inventory.service.ts';
import { createOrderService, type OrderService } from './orders/order.service.ts';

/** The use cases, one of each per process. */
export interface ShopServices {
  guests: GuestService;
  catalog: CatalogService;
  inventory: InventoryService;
  cart: CartService;
  orders: OrderService;
}

/** Wires the modules to each other. */
export function createServices(deps: { config: Config; db: Database; eventLog: EventLog }): ShopServices {
  const { db, eventLog } = deps;
  const { shop, secrets, cart: config } = deps.config;
  const guests = createGuestService({ db });
  const catalog = createCatalogService({ db });
  const inventory = createInventoryService({ eventLog });
  const cart = createCartService({ db, catalog, inventory, guests, eventLog, config });
  const orders = createOrderService({ db, catalog, inventory, cart, eventLog, secrets, shop });
  return { guests, catalog, inventory, cart, orders };
}

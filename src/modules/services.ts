import type { Config } from '../config/config.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import { createAccountService, type AccountService } from './accounts/account.service.ts';
import { createAdminService, type AdminService } from './accounts/admin.service.ts';
import { createGuestService, type GuestService } from './accounts/guest.service.ts';
import { createSessionService, type SessionService } from './accounts/session.service.ts';
import { createCartService, type CartService, type Released } from './cart/cart.service.ts';
import { createCatalogService, type CatalogService } from './catalog/catalog.service.ts';
import { createCatalogWritingService, type CatalogWritingService } from './catalog/catalog-writing.service.ts';
import { createContentfulService, type ContentfulService } from './contentful/contentful.service.ts';
import { createProductImportService, type ProductImportService } from './catalog/product-import.service.ts';
import { createInventoryService, type InventoryService } from './inventory/inventory.service.ts';
import { createOutsideStockService, type OutsideStockService } from './inventory/outside-stock.service.ts';
import { createStockService, type StockService } from './inventory/stock.service.ts';
import { createMailService, type MailService } from './mail/mail.service.ts';
import { createStockAlertService, type StockAlertService } from './stock-alerts/stock-alert.service.ts';
import { createMailSettingsService, type MailSettingsService } from './mail/mail-settings.service.ts';
import { createNudges, type Nudges } from './nudges.ts';
import { createOrderService, type OrderService } from './orders/order.service.ts';
import { createStaffService, type StaffService } from './staff/staff.service.ts';

/** The use cases, one of each per process. */
export interface ShopServices {
  guests: GuestService;
  sessions: SessionService;
  accounts: AccountService;
  admin: AdminService;
  catalog: CatalogService;
  catalogWriting: CatalogWritingService;
  productImport: ProductImportService;
  inventory: InventoryService;
  stock: StockService;
  outsideStock: OutsideStockService;
  cart: CartService;
  orders: OrderService;
  staff: StaffService;
  mails: MailService;
  stockAlerts: StockAlertService;
  contentful: ContentfulService;
  mailSettings: MailSettingsService;
}

/** Wires the modules to each other. */
export function createServices(deps: {
  config: Pick<
    Config,
    'shop' | 'secrets' | 'cart' | 'lowStockThreshold' | 'mail' | 'stockAlertBatchSeconds' | 'contentful'
  > & {
    accounts: Pick<Config['accounts'], 'bcryptCost' | 'sessionMaxSeconds'>;
  };
  db: Database;
  eventLog: EventLog;
  /** To be told what waits for a job; nobody by default. */
  nudges?: Nudges;
  /** Told what expired carts gave back, after the commit. */
  onCartsReleased?: (released: Released) => void;
  /** Told of rows that batches set aside. */
  logger: Pick<Logger, 'error'>;
}): ShopServices {
  const { config, db, eventLog, nudges = createNudges(), onCartsReleased: onReleased = () => {}, logger } = deps;
  const { shop, secrets, lowStockThreshold } = config;
  const staff = createStaffService({ db });
  const guests = createGuestService({ db, eventLog, secrets });
  const sessions = createSessionService({ db, eventLog, secrets, maxSeconds: config.accounts.sessionMaxSeconds });
  const catalog = createCatalogService({ db });
  const inventory = createInventoryService({ eventLog });
  const writing = { db, inventory, staff, eventLog, currency: shop.currency, lowStockThreshold };
  const catalogWriting = createCatalogWritingService(writing);
  const productImport = createProductImportService(writing);
  const cart = createCartService({
    db,
    catalog,
    inventory,
    guests,
    eventLog,
    config: config.cart,
    secrets,
    onDue: nudges.cart,
    onReleased,
    logger,
  });
  const mails = createMailService({ db, staff, nudges, from: config.mail.from });
  const stockAlerts = createStockAlertService({
    db,
    catalog,
    inventory,
    mails,
    nudges,
    secrets,
    batchSeconds: config.stockAlertBatchSeconds,
    logger,
  });
  const mailSettings = createMailSettingsService({ db, stockAlerts, secrets });
  const orders = createOrderService({ db, catalog, inventory, cart, guests, staff, eventLog, secrets, shop });
  const stock = createStockService({ db, inventory, catalog, staff, holds: cart });
  const accounts = createAccountService({
    db,
    eventLog,
    cart,
    orders,
    stockAlerts,
    sessions,
    secrets,
    config: config.accounts,
  });
  const admin = createAdminService({ db, sessions, staff, config: config.accounts });
  const outsideStock = createOutsideStockService({ db, inventory, catalog });
  const contentful = createContentfulService({
    db,
    catalog,
    catalogWriting,
    outsideStock,
    staff,
    eventLog,
    config: config.contentful,
    currency: shop.currency,
    nudges,
  });
  return {
    guests,
    sessions,
    accounts,
    admin,
    catalog,
    catalogWriting,
    productImport,
    inventory,
    stock,
    outsideStock,
    cart,
    orders,
    staff,
    mails,
    stockAlerts,
    contentful,
    mailSettings,
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config.ts';
import { createLocalBus, type EventBus } from './events/bus.ts';
import { createEventLog, type EventLog } from './events/event-log.ts';
import { startRelay, type Relay } from './events/relay.ts';
import { openDatabase, type Database } from './infra/database.ts';
import { startEmbeddedPostgres } from './infra/embedded-postgres.ts';
import type { Logger } from './infra/logger.ts';
import { migrate } from './infra/migrations.ts';
import { createAccountService, type AccountService } from './modules/accounts/account.service.ts';
import { createGuestService, type GuestService } from './modules/accounts/guest.service.ts';
import { createSessionService, type SessionService } from './modules/accounts/session.service.ts';
import { createCartService, type CartService } from './modules/cart/cart.service.ts';
import { createCatalogService, type CatalogService } from './modules/catalog/catalog.service.ts';
import { createInventoryService, type InventoryService } from './modules/inventory/inventory.service.ts';
import { createOrderService, type OrderService } from './modules/orders/order.service.ts';
import { Disposals } from './disposals.ts';

/** The use cases, one of each per process. */
export interface ShopServices {
  guests: GuestService;
  sessions: SessionService;
  accounts: AccountService;
  catalog: CatalogService;
  inventory: InventoryService;
  cart: CartService;
  orders: OrderService;
}

/** The shop without any edge: what the server, the workers and the commands have in common. */
export interface Core {
  db: Database;
  bus: EventBus;
  relay: Relay;
  eventLog: EventLog;
  services: ShopServices;
  /** Where the data is, for people. */
  data: string;
  dispose(): Promise<void>;
}

/** For tests: parts that take the place of the real ones, which they are given. */
export interface Overrides {
  eventLog?: (real: EventLog) => EventLog;
  services?: (real: ShopServices) => ShopServices;
}

const DATABASE_CLOSE_MS = 500;

/** Opens the database, starting or attaching to the embedded one, brings it up to date, and wires log and services. */
export async function openCore(config: Config, logger: Logger, overrides: Overrides = {}): Promise<Core> {
  const disposals = new Disposals(logger);
  try {
    const { connectionString, data } = await connect(config, logger, disposals);
    await migrate({ connectionString, logger });

    const db = openDatabase({ connectionString, poolSize: config.database.poolSize, logger });
    // A statement that hangs must not keep the process; the server rolls back what is cut off.
    disposals.add('database', () =>
      Promise.race([db[Symbol.asyncDispose](), delay(DATABASE_CLOSE_MS, undefined, { ref: false })]),
    );
    const bus = createLocalBus();
    disposals.add('bus', () => bus[Symbol.asyncDispose]());
    const relay = startRelay({ db, bus, logger });
    disposals.add('relay', () => relay[Symbol.asyncDispose]());

    const log = createEventLog({ db, wake: () => relay.wake() });
    const eventLog = overrides.eventLog?.(log) ?? log;
    const services = createServices({ config, db, eventLog });
    return {
      db,
      bus,
      relay,
      eventLog,
      services: overrides.services?.(services) ?? services,
      data,
      dispose: () => disposals.run(),
    };
  } catch (error) {
    await disposals.run();
    throw error;
  }
}

async function connect(config: Config, logger: Logger, disposals: Disposals) {
  const { database } = config;
  if (database.kind === 'url') {
    const { hostname, port, pathname } = new URL(database.url);
    return { connectionString: database.url, data: `PostgreSQL at ${hostname}:${port || '5432'}${pathname}` };
  }
  const postgres = await startEmbeddedPostgres({ dataDir: database.dataDir, logger });
  disposals.add('embedded PostgreSQL', () => postgres.dispose());
  const how = postgres.attached ? 'attached to the embedded PostgreSQL' : 'embedded PostgreSQL';
  return { connectionString: postgres.connectionString, data: `${how} in ${database.dataDir}` };
}

function createServices({ config, db, eventLog }: { config: Config; db: Database; eventLog: EventLog }): ShopServices {
  const { shop, secrets } = config;
  const guests = createGuestService({ db });
  const sessions = createSessionService({ db, eventLog, secrets });
  const catalog = createCatalogService({ db });
  const inventory = createInventoryService({ eventLog });
  const cart = createCartService({ db, catalog, inventory, guests, eventLog, config: config.cart });
  const accounts = createAccountService({ db, cart, sessions, config: config.accounts });
  const orders = createOrderService({ db, catalog, inventory, cart, eventLog, secrets, shop });
  return { guests, sessions, accounts, catalog, inventory, cart, orders };
}

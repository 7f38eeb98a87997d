import type { Config } from './config/config.ts';
import type { EventLog } from './events/event-log.ts';
import type { Database } from './infra/postgres/database.ts';
import type { Logger } from './infra/logger.ts';
import type { ShopServices } from './modules/module.ts';

/** Creates the demo shop where there is none. */
export async function seed(
  { db, eventLog, services }: { db: Database; eventLog: EventLog; services: ShopServices },
  { shop, lowStockThreshold }: Config,
  logger: Logger,
): Promise<void> {
  const { seedDemo } = await import('../prisma/seed/seed.ts');
  const { products } = await seedDemo({
    db,
    eventLog,
    inventory: services.inventory,
    currency: shop.currency,
    lowStockThreshold,
  });
  if (products > 0) logger.info({ products }, 'created the demo catalog');
}

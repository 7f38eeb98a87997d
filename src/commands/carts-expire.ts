import { openCore } from '../app.ts';
import { ConfigError, loadConfig } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import { endOnSignals } from './end-on-signals.ts';

// `npm run carts:expire` gives the units of every overdue cart back to stock, now, and says how many.

endOnSignals();
try {
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const core = await openCore(config, logger);
  try {
    const { carts, units } = await core.services.cart.expireOverdue();
    // Other processes may not be running: the events get their numbers before this one goes.
    await core.relay.flush();
    console.log(`Expired ${count(carts, 'cart')}; returned ${count(units, 'unit')} to stock.`);
  } finally {
    await core.dispose();
  }
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

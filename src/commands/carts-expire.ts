import { defineCommand, print, runIfMain } from './command.ts';
import { withCore } from './with-core.ts';
import { count } from './words.ts';

const USAGE = `Usage: npm run carts:expire

Expires all overdue carts immediately, returns their units to stock, and prints how many. Workers do this by themselves; the command
is for a shop whose workers are stopped.`;

export const cartsExpire = defineCommand({
  usage: USAGE,
  failure: 1,
  async run(_given, context) {
    const { carts, units } = await withCore(context, (core) => core.services.cart.expireOverdue());
    print(context.stdout, `Expired ${count(carts, 'cart')}; returned ${count(units, 'unit')} to stock.`);
  },
});

await runIfMain(import.meta.url, cartsExpire);

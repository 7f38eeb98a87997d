import { randomInt } from 'node:crypto';
import { argumentsOf } from '../options.ts';

/** How a shop is run: a process with all that comes along, or nodes and workers on services of their own. */
export type Way = 'embedded' | 'services';

export interface Options {
  ways: readonly Way[];
  /** On each way. */
  faults: number;
  seed: number;
  /** After so many seconds on each way no further fault is begun; null: all of them are. */
  duration: number | null;
  shoppers: number;
  subscribers: number;
  /** Seconds after the end of a fault within which the shop has to work as before. */
  recoverWithin: number;
}

export const USAGE = `Kills, freezes and cuts off the parts of a shop under load, and reports whether anything was lost.

  npm run torture:faults -- [--faults 20] [--seed S] [--duration SECONDS] [--way embedded|services|both]
                            [--shoppers 6] [--subscribers 10] [--recover-within 60]

  --faults       how many on each way to run (1 to 10000)
  --seed         a run with the same seed has the same faults in the same order; printed at the start
  --duration     no further fault is begun after so many seconds on each way
  --way          embedded: one process with PostgreSQL inside; services: two API nodes and two workers on PostgreSQL, Redis
                 (where there is a redis-server) and a mail server
  --shoppers     who add to carts and check out, without a break (1 to 100)
  --recover-within  seconds after each fault within which every process is ready and every node sells (1 to 3600); more than
                 the default of 60 on a machine that has much else to do
  --subscribers  who follow the stock and resume by cursor, every other one over SSE (2 to 200)

Everything is of the run's own, in a temporary folder, and goes with it.
Exit code: 0 nothing was lost, 1 something was, 2 wrong arguments.`;

const { refuse, parse, wholeNumber } = argumentsOf(USAGE);
const text = { type: 'string' } as const;

/** Reads the command's arguments. @returns null where only help was asked for */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args, {
    ...{ faults: text, seed: text, duration: text, shoppers: text, subscribers: text },
    ...{ 'recover-within': text, way: text, help: { type: 'boolean' } },
  });
  if (values.help === true) return null;
  const number = (name: Exclude<keyof typeof values, 'way' | 'help'>, least: number, most: number) =>
    wholeNumber(name, values[name], least, most);
  const { way = 'both' } = values;
  if (way !== 'embedded' && way !== 'services' && way !== 'both') {
    return refuse(`--way takes embedded, services or both, not "${way}".`);
  }
  return {
    ways: way === 'both' ? ['embedded', 'services'] : [way],
    faults: number('faults', 1, 10_000) ?? 20,
    seed: number('seed', 0, 2 ** 32 - 1) ?? randomInt(2 ** 32),
    duration: number('duration', 1, 86_400),
    shoppers: number('shoppers', 1, 100) ?? 6,
    subscribers: number('subscribers', 2, 200) ?? 10,
    recoverWithin: number('recover-within', 1, 3600) ?? 60,
  };
}

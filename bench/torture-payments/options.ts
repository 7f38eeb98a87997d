import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface Options {
  shoppers: number;
  /** Of the one variant that all of them want. */
  units: number;
  kills: number;
  seed: number;
  /** Seconds after which nothing more is killed; null: until all kills are done. */
  duration: number | null;
  /** Seconds after each kill within which every process is ready again. */
  recoverWithin: number;
  /** Seconds after the last shopper within which every payment has come to its end. */
  settleWithin: number;
}

export const USAGE = `Kills the parts of a shop while people pay, and reports whether any money was lost.

  npm run torture:payments -- [--shoppers 500] [--units 100] [--kills 100] [--seed S] [--duration SECONDS]
                              [--recover-within 120] [--settle-within 900]

  --shoppers  who want one unit each, and pay, decline, give up, pay late, or cancel while they pay (1 to 100000)
  --units     of the variant that they want (1 to 100000)
  --kills     how often an API node, a worker, Redis (where there is a redis-server) or PostgreSQL is killed, one to three at once (0 to
              10000)
  --seed      a run with the same seed has the same kills in the same order; printed at the start
  --duration  nothing more is killed after so many seconds (1 to 86400)
  --recover-within  seconds after each kill within which every process is ready again (1 to 3600)
  --settle-within   seconds after the last shopper within which every payment has come to its end (1 to 7200)

The shop is of the run's own, in a temporary folder, and goes with it: two API nodes and two workers on PostgreSQL and Redis. The
provider is a stand-in for Stripe outside of the shop. It loses one answer in ten, fails one request in thirty, and sends each webhook
twice, late and in any order.
Exit code: 0 all books agree to the last minor unit, 1 they do not, 2 wrong arguments.`;

/** The arguments cannot be understood; the message says how they could. */
export class UsageError extends Error {
  constructor(fault: string) {
    super(`${fault}\n\n${USAGE}`);
  }
}

/** Reads the command's arguments. @returns null if only help was asked for */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args);
  if (values.help === true) return null;
  const number = (name: Exclude<keyof typeof values, 'help'>, least: number, most: number) => {
    const text = values[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`);
    }
    return value;
  };
  return {
    shoppers: number('shoppers', 1, 100_000) ?? 500,
    units: number('units', 1, 100_000) ?? 100,
    kills: number('kills', 0, 10_000) ?? 100,
    seed: number('seed', 0, 2 ** 32 - 1) ?? randomInt(2 ** 32),
    duration: number('duration', 1, 86_400),
    recoverWithin: number('recover-within', 1, 3600) ?? 120,
    settleWithin: number('settle-within', 1, 7200) ?? 900,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const numbers = { shoppers: text, units: text, kills: text, seed: text, duration: text } as const;
  const options = { ...numbers, 'recover-within': text, 'settle-within': text } as const;
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

import { parseArgs } from 'node:util';

export interface Options {
  buyers: number;
  /** Units there are. */
  stock: number;
  /** Where the shop answers. */
  url: string;
  /** Buyers at a time. */
  concurrency: number;
}

export const USAGE = `Lets a crowd loose on a running shop, and tells whether a unit was sold twice.

  npm run torture -- [--buyers 1000] [--stock 100] [--concurrency 50] [--url http://localhost:4000]

  --buyers       how many come (1 to 100000)
  --stock        how many units there are (1 to 1000000)
  --concurrency  how many buyers shop at a time (1 to 1000)
  --url          where the shop answers; its own port on this machine by default

Run it with the environment that the shop has (DATA_DIR, or DATABASE_URL): it makes its product in the shop's database.
Exit code: 0 all is well, 1 something does not add up, 2 wrong arguments or no shop to be reached.`;

/** The arguments cannot be understood; the message says how they could. */
export class UsageError extends Error {
  constructor(fault: string) {
    super(`${fault}\n\n${USAGE}`);
  }
}

const NUMBERS = { buyers: [1000, 100_000], stock: [100, 1_000_000], concurrency: [50, 1000] } as const;

/**
 * Reads the command's arguments.
 * @param url the shop where none is named
 * @returns null where only help was asked for
 */
export function readOptions(args: readonly string[], url: string): Options | null {
  const values = parse(args);
  if (values.help === true) return null;
  const number = (name: keyof typeof NUMBERS) => {
    const [usual, most] = NUMBERS[name];
    const text = values[name];
    if (text === undefined) return usual;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > most) {
      throw new UsageError(`--${name} takes a whole number from 1 to ${most}, not "${text}".`);
    }
    return value;
  };
  return {
    buyers: number('buyers'),
    stock: number('stock'),
    concurrency: number('concurrency'),
    url: origin(values.url ?? url),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { buyers: text, stock: text, concurrency: text, url: text, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function origin(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new UsageError(`--url takes an address such as http://localhost:4000, not "${text}".`);
  }
  return new URL(text).origin;
}

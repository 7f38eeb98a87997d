import { argumentsOf, type Credentials } from '../options.ts';

export interface Options {
  buyers: number;
  /** Units there are. */
  stock: number;
  /** Where the shop answers. */
  url: string;
  /** Buyers at a time. */
  concurrency: number;
  /** The share of buyers who have an account, 0 to 1. */
  loggedIn: number;
  /** Units that staff put on the shelf meanwhile; 0 where there is nobody to do it. */
  restock: number;
  /** Null: nobody restocks. */
  admin: Credentials | null;
}

export const USAGE = `Lets a crowd loose on a running shop, and reports whether a unit was sold twice.

  npm run torture -- [--buyers 1000] [--stock 100] [--concurrency 50] [--url http://localhost:4000]
                     [--logged-in 0] [--restock 0] [--admin-email … --admin-password …]

  --buyers       how many come (1 to 100000)
  --stock        how many units there are (1 to 1000000)
  --concurrency  how many buyers shop at a time (1 to 1000)
  --url          where the shop answers; its own port on this machine by default
  --logged-in    the share of buyers who register or log in (0 to 1)
  --restock      how many units staff add meanwhile (0 to 1000000)
  --admin-email, --admin-password
                 who of the staff restocks; ADMIN_EMAIL and ADMIN_PASSWORD by default

Run it with the environment that the shop has (DATA_DIR, or DATABASE_URL): it makes its product in the shop's database.
The shop itself is to be started with RATE_LIMITS=off: the crowd comes from one address.
Exit code: 0 all is well, 1 something does not add up, 2 wrong arguments or no shop to be reached.`;

const { parse, wholeNumber, share, origin, admin } = argumentsOf(USAGE);
const text = { type: 'string' } as const;

/** By option: default, minimum, maximum. */
const NUMBERS = {
  buyers: [1000, 1, 100_000],
  stock: [100, 1, 1_000_000],
  concurrency: [50, 1, 1000],
  restock: [0, 0, 1_000_000],
} as const;

/**
 * Reads the command's arguments.
 * @param usual the shop, and who restocks, where the arguments name none
 * @returns null where only help was asked for
 */
export function readOptions(
  args: readonly string[],
  usual: { url: string; admin: Credentials | null },
): Options | null {
  const values = parse(args, {
    ...{ buyers: text, stock: text, concurrency: text, restock: text, url: text, 'logged-in': text },
    ...{ 'admin-email': text, 'admin-password': text, help: { type: 'boolean' } },
  });
  if (values.help === true) return null;
  const number = (name: keyof typeof NUMBERS) => {
    const [usually, least, most] = NUMBERS[name];
    return wholeNumber(name, values[name], least, most) ?? usually;
  };
  return {
    buyers: number('buyers'),
    stock: number('stock'),
    concurrency: number('concurrency'),
    restock: number('restock'),
    loggedIn: share('logged-in', values['logged-in']),
    admin: admin(values['admin-email'], values['admin-password']) ?? usual.admin,
    url: origin(values.url ?? usual.url),
  };
}

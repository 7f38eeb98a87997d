import { argumentsOf, type Credentials } from '../options.ts';

export interface Options {
  seconds: number;
  subscribers: number;
  writers: number;
  /** Changes of stock a second, all writers together. */
  rate: number;
  /** Where the shop's nodes answer; none where the run starts its own. */
  urls: readonly string[];
  spawn: boolean;
  /** Null: nobody of the staff writes, only guests. */
  admin: Credentials | null;
}

export const USAGE = `Has subscribers dropped at random places while stock moves, and reports whether any of them missed an event.

  npm run torture:events -- [--seconds 60] [--subscribers 50] [--writers 20] [--rate 100]
                            [--url http://localhost:4000 [--url …]] [--admin-email … --admin-password …]
  npm run torture:events -- --spawn [--seconds 60] …

  --seconds      how long stock moves (2 to 3600)
  --subscribers  how many follow it, every other one over SSE (2 to 2000)
  --writers      how many move it, every other one of the staff where somebody is named (1 to 500)
  --rate         changes a second, all writers together (1 to 10000)
  --url          where a node of the shop answers; once for each. Its own port on this machine by default
  --spawn        starts two API nodes, a worker and (where there is a redis-server) a Redis of its own; in the middle it
                 kills Redis and one of the nodes, and starts both again
  --admin-email, --admin-password
                 who of the staff writes; ADMIN_EMAIL and ADMIN_PASSWORD by default

Run it with the environment that the shop has (DATA_DIR, or DATABASE_URL): it makes its products in the shop's database.
The shop itself is to be started with RATE_LIMITS=off. With --spawn and no DATABASE_URL it starts a PostgreSQL of its own.
Exit code: 0 each saw what the log has, 1 somebody did not, 2 wrong arguments or no shop to be reached.`;

const { refuse, parse, wholeNumber, origin, admin } = argumentsOf(USAGE);
const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

/** By option: default, minimum, maximum. */
const NUMBERS = {
  seconds: [60, 2, 3600],
  subscribers: [50, 2, 2000],
  writers: [20, 1, 500],
  rate: [100, 1, 10_000],
} as const;

/**
 * Reads the command's arguments.
 * @param usual the shop, and who of the staff writes, where the arguments name none
 * @returns null where only help was asked for
 */
export function readOptions(
  args: readonly string[],
  usual: { url: string; admin: Credentials | null },
): Options | null {
  const values = parse(args, {
    ...{ seconds: text, subscribers: text, writers: text, rate: text, url: { type: 'string', multiple: true } },
    ...{ spawn: flag, 'admin-email': text, 'admin-password': text, help: flag },
  });
  if (values.help === true) return null;
  const number = (name: keyof typeof NUMBERS) => {
    const [usually, least, most] = NUMBERS[name];
    return wholeNumber(name, values[name], least, most) ?? usually;
  };
  const spawn = values.spawn === true;
  if (spawn && values.url !== undefined) refuse('--spawn starts nodes of its own: there is no --url then.');
  return {
    seconds: number('seconds'),
    subscribers: number('subscribers'),
    writers: number('writers'),
    rate: number('rate'),
    urls: spawn ? [] : (values.url ?? [usual.url]).map(origin),
    spawn,
    admin: admin(values['admin-email'], values['admin-password']) ?? usual.admin,
  };
}

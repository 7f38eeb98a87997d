import { parseArgs } from 'node:util';
import { latencyOf, mean, median, type Claim, type Latency } from './relay/figures.ts';
import { isContiguous, readNumbering, timeFor, writeFor, type Ran } from './relay/load.ts';
import { holdSnapshot, openPlace, startNode, type Node, type Place } from './relay/place.ts';

// `npm run bench:relay`: what the relay costs the writers, and how soon subscribers know. See README.md.

const USAGE = `What the relay costs those who write events, how many it takes at a time, and how soon a subscriber receives them.

  npm run bench:relay -- [--writers 50] [--seconds 5] [--rounds 5] [--rate …] [--snapshot-seconds 60]

  --writers           number of writers that commit events at the same time, each on its own connection (1 to 90)
  --seconds           duration of a round (1 to 60)
  --rounds            rounds with the relay, and as many without, of which the median is reported (1 to 50)
  --rate              commits per second of all writers together while latency is compared (1 to 10000);
                      by default half of what they reach with the relay
  --snapshot-seconds  how long a REPEATABLE READ snapshot is held open (3 to 600)

It starts a PostgreSQL of its own, or uses DATABASE_URL: an empty database on this machine, with track_commit_timestamp = on.
Exit code: 0 all of it holds, 1 some of it does not, 2 wrong arguments.`;

const MIN_BATCH = 10;
const MIN_RATE_KEPT = 0.8;
const MAX_SLOWER = 3;
/** Half of the load for latency may differ by so much and is still the same. */
const SAME_LOAD = 0.05;

interface Options {
  writers: number;
  seconds: number;
  rounds: number;
  rate: number | null;
  snapshotSeconds: number;
}

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const place = await openPlace(process.env['DATABASE_URL']);
  try {
    const claims = await measure(place, options);
    console.log();
    for (const { name, passed, detail } of claims) console.log(`${passed ? 'PASS' : 'FAIL'}  ${name}: ${detail}`);
    process.exitCode = claims.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    await place.dispose();
  }
}

async function measure(
  place: Place,
  { writers, seconds, rounds, rate: given, snapshotSeconds }: Options,
): Promise<Claim[]> {
  await using node = await startNode(place, writers);
  const after = (await node.log.end()).seq;
  let seen = 0;
  let inOrder = true;
  let next = after + 1;
  node.feed.subscribe({
    event({ seq }) {
      seen += 1;
      inOrder &&= seq === next;
      next += 1;
    },
    reset: () => (inOrder = false),
  });
  let commits = 0;
  const count = <R extends Ran>(ran: R): R => {
    commits += ran.commits;
    return ran;
  };

  console.log(`${writers} writers, flat out, rounds of ${seconds} s in turn; commits a second\n`);
  console.log('     without the relay   with it   batches   events a batch');
  const flat = { writers, seconds, rate: null };
  // Code that runs for the first time is slow: that is nobody's rate.
  await node.withRelay(async () => count(await writeFor(node, { ...flat, seconds: 2 })));
  const [without, withIt, kept]: [number[], number[], number[]] = [[], [], []];
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // The other way round in every other round: what comes later has the longer log.
    const off = async () => {
      const rate = count(await writeFor(node, flat)).commitsPerSecond;
      await tidy(node);
      return rate;
    };
    const on = async () => {
      node.batches.length = 0;
      const { commitsPerSecond: rate } = await node.withRelay(async () => count(await writeFor(node, flat)));
      const batches = node.batches.splice(0);
      sizes.push(...batches);
      await tidy(node);
      return { rate, batches };
    };
    const first = round % 2 === 0 ? await off() : null;
    const { rate, batches } = await on();
    const bare = first ?? (await off());
    without.push(bare);
    withIt.push(rate);
    kept.push(rate / bare);
    console.log(
      `${cell(bare, 22)}${cell(rate, 10)}${cell(batches.length, 10)}${cell(mean(batches), 17, 1)}   (${(rate / bare).toFixed(2)})`,
    );
  }

  const pace = given ?? Math.round(median(withIt) / 2);
  console.log(
    `\n${writers} writers, ${pace} commits a second in all, ${snapshotSeconds} s each; milliseconds from commit to subscriber\n`,
  );
  console.log('                            commits/s      p50      p99   p50, p99 of each third');
  const paced = { writers, seconds: snapshotSeconds, rate: pace };
  const plain = await node.withRelay(async () => count(await timeFor(node, paced)));
  describe('nothing held', plain, snapshotSeconds);
  await tidy(node);
  const held = await node.withRelay(async () => {
    await using _snapshot = await holdSnapshot(place);
    return count(await timeFor(node, paced));
  });
  describe('a snapshot held', held, snapshotSeconds);

  const numbering = await readNumbering(node.db, after);
  // What was held the longest is the worst.
  const last = (ran: Ran) => latencyOf(ran.deliveries, (snapshotSeconds * 2000) / 3);
  const slower = (of: (latency: Latency) => number) =>
    Math.max(of(latencyOf(held.deliveries)) / of(latencyOf(plain.deliveries)), of(last(held)) / of(last(plain)));
  const [p50, p99] = [slower((latency) => latency.p50), slower((latency) => latency.p99)];
  const same = Math.abs(held.commitsPerSecond / plain.commitsPerSecond - 1);
  return [
    {
      name: `a batch of the relay has more than ${MIN_BATCH} events in the mean`,
      passed: mean(sizes) > MIN_BATCH,
      detail: `${mean(sizes).toFixed(1)} in ${sizes.length} batches`,
    },
    {
      name: `writers keep at least ${100 * MIN_RATE_KEPT} % of their rate`,
      passed: median(kept) >= MIN_RATE_KEPT,
      detail: `${(100 * median(kept)).toFixed(0)} % (the median of ${rounds} pairs; ${median(withIt).toFixed(0)} of ${median(without).toFixed(0)} a second)`,
    },
    {
      name: 'no number is left out, none is there twice',
      passed: isContiguous(numbering, after, commits),
      detail: `${commits} commits; ${JSON.stringify(numbering)}`,
    },
    {
      name: 'the feed delivered each event once, in order',
      passed: seen === commits && inOrder,
      detail: `${seen} of ${commits}`,
    },
    {
      name: 'the load with the snapshot was that without it',
      passed: same <= SAME_LOAD,
      detail: `${held.commitsPerSecond.toFixed(0)} and ${plain.commitsPerSecond.toFixed(0)} commits a second`,
    },
    {
      name: `with the snapshot a subscriber waits at most ${MAX_SLOWER} × as long`,
      passed: p50 <= MAX_SLOWER && p99 <= MAX_SLOWER,
      detail: `p50 ${p50.toFixed(2)} ×, p99 ${p99.toFixed(2)} × (the worse of the whole time and its last third)`,
    },
  ];
}

/** Numbers what is left, and clears up: each round begins alike. */
async function tidy(node: Node): Promise<void> {
  await node.withRelay(async () => {});
  node.batches.length = 0;
  const client = await node.db.connect();
  await client.query('VACUUM ANALYZE event_log');
  await client.query('VACUUM event_sequence');
  await client.end();
}

function describe(name: string, { deliveries, commitsPerSecond }: Ran, seconds: number): void {
  const all = latencyOf(deliveries);
  const thirds = [0, 1, 2].map((third) => {
    const until = third === 2 ? Infinity : ((third + 1) * seconds * 1000) / 3;
    const { p50, p99 } = latencyOf(deliveries, (third * seconds * 1000) / 3, until);
    return `${p50.toFixed(1)}, ${p99.toFixed(1)}`;
  });
  console.log(
    `${name.padEnd(26)}${cell(commitsPerSecond, 11)}${cell(all.p50, 9, 1)}${cell(all.p99, 9, 1)}   ${thirds.join(' | ')}`,
  );
}

function cell(value: number, width: number, digits = 0): string {
  return value.toFixed(digits).padStart(width);
}

function readOptions(args: string[]): Options | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { writers: text, seconds: text, rounds: text, rate: text, 'snapshot-seconds': text },
    });
    const number = (value: string | undefined, usual: number, least: number, most: number) => {
      const given = value === undefined ? usual : Number(value);
      if (!Number.isInteger(given) || given < least || given > most) throw new Error(`${value}: ${least} to ${most}`);
      return given;
    };
    return {
      writers: number(values.writers, 50, 1, 90),
      seconds: number(values.seconds, 5, 1, 60),
      rounds: number(values.rounds, 5, 1, 50),
      rate: values.rate === undefined ? null : number(values.rate, 1, 1, 10_000),
      snapshotSeconds: number(values['snapshot-seconds'], 60, 3, 600),
    };
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n` : error);
    return null;
  }
}

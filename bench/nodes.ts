import { parseArgs } from 'node:util';
import { measure, type Load, type Run } from './nodes/latency.ts';
import { openPlace, type Place } from './nodes/place.ts';

// `npm run bench:nodes`: how long it takes from a commit until a subscriber knows, on one node and across two. See README.md.

const USAGE = `How long it takes from a commit until a subscriber knows, with nodes, PostgreSQL and Redis of its own.

  npm run bench:nodes -- [--writers 20] [--seconds 5] [--runs 5] [--pause 200]

  --writers  who restock a variant each, at the same time (1 to 100)
  --seconds  how long a run takes (1 to 60)
  --runs     number of runs, of which the median is reported (1 to 50)
  --pause    milliseconds that a writer waits between two writes, where they do not go flat out (1 to 10000)`;

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const place = await openPlace();
  try {
    if (place.redisUrl === null) console.log('There is no redis-server here: two nodes are tried without one alone.');
    await compare(place, options);
  } finally {
    await place.dispose();
  }
}

interface Options {
  writers: number;
  seconds: number;
  runs: number;
  pause: number;
}

async function compare(place: Place, { writers, seconds, runs, pause }: Options): Promise<void> {
  const loads: [string, Load][] = [
    [`a write each ${pause} ms`, { writers, seconds, pauseMs: pause }],
    ['flat out', { writers, seconds, pauseMs: 0 }],
  ];
  const settings: [string, { nodes: number; redisUrl: string | null }][] = [
    ['one node', { nodes: 1, redisUrl: null }],
    ...(place.redisUrl === null
      ? []
      : ([['two nodes, Redis', { nodes: 2, redisUrl: place.redisUrl }]] as [
          string,
          { nodes: number; redisUrl: string },
        ][])),
    ['two nodes, no Redis', { nodes: 2, redisUrl: null }],
  ];
  console.log(
    `${writers} writers, ${runs} runs of ${seconds} s each; medians, milliseconds from commit to subscriber\n`,
  );
  console.log('                       load                   p50      p99  commits/s   p99 of each run');
  for (const [setting, { nodes: count, redisUrl }] of settings) {
    const nodes = [];
    for (let index = 0; index < count; index += 1) nodes.push(await place.startNode(redisUrl));
    const [first, last] = [nodes[0], nodes.at(-1)];
    if (first === undefined || last === undefined) throw new Error('there is no node');
    // Code that runs for the first time is slow: that is nobody's latency.
    await measure(place.db, first.url, last.url, { writers, seconds: 2, pauseMs: 0 });
    for (const [name, load] of loads) {
      const results: Run[] = [];
      for (let run = 0; run < runs; run += 1) results.push(await measure(place.db, first.url, last.url, load));
      console.log(describe(setting, name, results));
    }
    for (const node of nodes) await node.stop();
  }
}

function describe(setting: string, load: string, runs: readonly Run[]): string {
  const p99s = runs.map((run) => at(run.latencies, 0.99));
  const figures = [
    median(runs.map((run) => at(run.latencies, 0.5)))
      .toFixed(1)
      .padStart(8),
    median(p99s).toFixed(1).padStart(8),
    median(runs.map((run) => run.commitsPerSecond))
      .toFixed(0)
      .padStart(10),
  ];
  return `${setting.padEnd(22)} ${load.padEnd(18)} ${figures.join(' ')}   ${p99s.map((value) => value.toFixed(0)).join(', ')}`;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}

function median(values: readonly number[]): number {
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function readOptions(args: string[]): Options | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ args, options: { writers: text, seconds: text, runs: text, pause: text } });
    const number = (value: string | undefined, usual: number, most: number) => {
      const given = value === undefined ? usual : Number(value);
      if (!Number.isInteger(given) || given < 1 || given > most) throw new Error(`${value}: 1 to ${most}`);
      return given;
    };
    return {
      writers: number(values.writers, 20, 100),
      seconds: number(values.seconds, 5, 60),
      runs: number(values.runs, 5, 50),
      pause: number(values.pause, 200, 10_000),
    };
  } catch (error) {
    console.error(error instanceof Error ? `${error.message}\n` : error);
    return null;
  }
}

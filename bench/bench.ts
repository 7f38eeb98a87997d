import { writeFileSync } from 'node:fs';
import { cases, type Case } from './bench/cases.ts';
import { median, type Round } from './bench/crowd.ts';
import { chart, machineOf, speedPart, type Figures } from './bench/report.ts';
import { startSide, type Side } from './bench/sides.ts';
import { writePart } from './benchmarks-page.ts';
import { argumentsOf, UsageError } from './options.ts';

// `npm run bench`: how many requests the shop answers, beside a baseline in the same run. See README.md.

const USAGE = `Usage: npm run bench -- [--quick] [--case NAME,…] [--products N] [--callers N] [--rounds N] [--seconds N] [--against FOLDER] [--write]

  --quick     two rounds of one second each
  --case      only these: ${cases.map(({ name }) => name).join(', ')}
  --products  products of the catalogue (default 1000)
  --callers   connections that send one request after the other (default 50)
  --rounds    rounds of each side, alternating; the median counts (default 5)
  --seconds   length of a round (default 4)
  --against   folder of another checkout of the shop, with its packages installed: each case is compared with that shop
  --write     write this part of docs/benchmarks.md, and docs/images/benchmarks.svg`;

const { refuse, parse, wholeNumber } = argumentsOf(USAGE);

function readOptions(args: readonly string[]) {
  const values = parse(args, {
    quick: { type: 'boolean', default: false },
    case: { type: 'string' },
    products: { type: 'string' },
    callers: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    against: { type: 'string' },
    write: { type: 'boolean', default: false },
  });
  const names = values.case?.split(',') ?? cases.map(({ name }) => name);
  const chosen = names.map((name) => cases.find((one) => one.name === name) ?? refuse(`There is no case "${name}".`));
  return {
    chosen,
    products: wholeNumber('products', values.products, 40, 1_000_000) ?? 1_000,
    callers: wholeNumber('callers', values.callers, 1, 500) ?? 50,
    rounds: wholeNumber('rounds', values.rounds, 1, 100) ?? (values.quick ? 2 : 5),
    roundMs: (wholeNumber('seconds', values.seconds, 1, 600) ?? (values.quick ? 1 : 4)) * 1_000,
    against: values.against,
    write: values.write,
  };
}

type Options = ReturnType<typeof readOptions>;

const perSecond = ({ perSecond: rate, p99 }: Round) => `${rate.toFixed(0)}/s (p99 ${p99.toFixed(0)} ms)`;

/** Alternates rounds of the two, the first of each uncounted. */
async function compare(name: string, rounds: number, ours: () => Promise<Round>, theirs: () => Promise<Round>) {
  const all: { ours: Round; theirs: Round }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    // Whichever comes first finds another machine than the second: both come first in turn.
    const both =
      round % 2 === 0
        ? { ours: await ours(), theirs: await theirs() }
        : await theirs().then(async (second) => ({ ours: await ours(), theirs: second }));
    console.log(
      `  ${name} ${round === 0 ? 'warm-up' : `${round} of ${rounds}`}: ${perSecond(both.ours)} beside ${perSecond(both.theirs)}`,
    );
    if (round > 0) all.push(both);
  }
  const of = (side: 'ours' | 'theirs', figure: keyof Round) => median(all.map((both) => both[side][figure]));
  return {
    ours: of('ours', 'perSecond'),
    theirs: of('theirs', 'perSecond'),
    p99: of('ours', 'p99'),
    ratio: median(all.map((both) => both.ours.perSecond / both.theirs.perSecond)),
  };
}

async function runCases(chosen: readonly Case[], side: Side, other: Side | null, options: Options): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const one of chosen) {
    console.log(`${one.title}, beside ${other === null ? one.beside : `the shop in ${options.against}`}`);
    const theirs = other === null ? () => one.theirs(side, options) : () => one.ours(other, options);
    const before = await side.mails();
    figures.push({ ...one, ...(await compare(one.name, options.rounds, () => one.ours(side, options), theirs)) });
    const after = await side.mails();
    if (after.sent > before.sent)
      console.log(`  emails: ${after.sent - before.sent} sent meanwhile, ${after.waiting} wait`);
  }
  return figures;
}

/** Starts the shops of these cases, runs them, and stops the shops. */
async function measure(chosen: readonly Case[], isDemo: boolean, options: Options): Promise<Figures[]> {
  if (chosen.length === 0) return [];
  console.log(`Starting a shop ${isDemo ? 'outside' : 'in'} production with ${options.products} products.`);
  const side = await startSide({ ...options, isDemo });
  const other = options.against === undefined ? null : await startSide({ ...options, isDemo, root: options.against });
  try {
    return await runCases(chosen, side, other, options);
  } finally {
    await side.stop();
    await other?.stop();
  }
}

function line({ name, ours, theirs, ratio, aim, unit }: Figures, compared: boolean): string {
  const verdict =
    compared || aim === null ? '' : `, aim ${aim.toFixed(2)}: ${ratio >= aim ? 'reached' : 'NOT reached'}`;
  return `${name}: ${ours.toFixed(0)} ${unit}/s beside ${theirs.toFixed(0)}, ratio ${ratio.toFixed(2)}${verdict}`;
}

async function writePage(figures: readonly Figures[], options: Options): Promise<void> {
  await writePart('speed', speedPart(figures, options, machineOf()));
  writeFileSync('docs/images/benchmarks.svg', chart(figures));
}

async function run(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const figures = [
    ...(await measure(
      options.chosen.filter(({ isDemo }) => isDemo !== true),
      false,
      options,
    )),
    ...(await measure(
      options.chosen.filter(({ isDemo }) => isDemo === true),
      true,
      options,
    )),
  ];
  const isCompared = options.against !== undefined;
  console.log('');
  for (const one of figures) console.log(line(one, isCompared));
  if (options.write && !isCompared) await writePage(figures, options);
}

try {
  await run();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

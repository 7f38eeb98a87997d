import { parseArgs } from 'node:util';
import { runFuzz, type Finding } from './fuzz/run.ts';
import { somebodyOfEachKind } from './fuzz/people.ts';
import { ADMIN, startOwnShop } from './own-shop.ts';

/*
 * npm run fuzz -- --inputs 100000 --seed 7: sends a shop of its own operations made from its schema, bytes and frames, and says
 * which of them it answered with a fault of its own. `--from N --inputs 1` with the same seed sends input N alone.
 */

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    from: { type: 'string', default: '0' },
    concurrency: { type: 'string', default: '8' },
  },
});
const [inputs, seed, from, concurrency] = [values.inputs, values.seed, values.from, values.concurrency].map(Number) as [
  number,
  number,
  number,
  number,
];
if (
  ![inputs, seed, from, concurrency].every((value) => Number.isSafeInteger(value) && value >= 0) ||
  concurrency === 0
) {
  console.error('--inputs, --seed, --from and --concurrency are whole numbers.');
  process.exit(2);
}

const shop = await startOwnShop({ RATE_LIMITS: 'off' });
const began = performance.now();
let findings: Finding[] = [];
const outcomes = new Map<string, number>();
try {
  findings = await runFuzz({
    url: shop.url,
    seed,
    from,
    inputs,
    concurrency,
    identities: () => somebodyOfEachKind(shop.url, ADMIN),
    onOutcome: (kind, outcome) =>
      void outcomes.set(`${kind}: ${outcome}`, (outcomes.get(`${kind}: ${outcome}`) ?? 0) + 1),
    onProgress: (done, found) =>
      console.log(`${done} of ${inputs} inputs, ${found} findings, ${shop.errors.length} errors logged`),
  });
} catch (error) {
  console.error(error);
  findings.push({ input: -1, kind: 'run', what: String(error), sent: '' });
}
const ended = shop.ended();
const alive =
  ended === null &&
  (await fetch(`${shop.url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  ));
await shop.stop();

for (const [outcome, count] of [...outcomes].toSorted(([a], [b]) => a.localeCompare(b)))
  console.log(`${count} × ${outcome}`);
for (const { input, kind, what, sent } of findings)
  console.log(`input ${input} (${kind}): ${what}\n  ${sent.slice(0, 1500)}`);
for (const line of shop.errors.slice(0, 50)) console.log(`logged: ${line.slice(0, 1500)}`);
if (!alive) console.log(ended === null ? 'the shop is not ready any more' : `the shop ended with ${ended}`);
const failed = findings.length > 0 || shop.errors.length > 0 || !alive;
const seconds = Math.round((performance.now() - began) / 1000);
console.log(
  `seed ${seed}: ${inputs} inputs in ${seconds} s, ${findings.length} faults answered, ${shop.errors.length} errors logged, ` +
    `${alive ? 'the shop is ready' : 'the shop is gone'} → ${failed ? 'FAIL' : 'PASS'}`,
);
process.exit(failed ? 1 : 0);

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startOwnShop } from './own-shop.ts';
import type { Order } from './soak/abusers.ts';
import { judge, type Probe, type Sample } from './soak/verdict.ts';

/*
 * npm run soak -- --minutes 20: clients that wear a shop out within its limits come and go; others shop all the while. The
 * times in which the abusers are away are the control.
 */

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, networks: { type: 'string', default: '3' } },
});
const [minutes, networks] = [Number(values.minutes), Number(values.networks)];
if (!(minutes > 0) || !Number.isInteger(networks) || networks < 1 || networks > 200) {
  console.error('--minutes is a number above 0, --networks a whole number from 1 to 200.');
  process.exit(2);
}

/** Turns of quiet and of abuse; the first ones warm the shop up and are not counted. */
const WINDOW_MS = Math.min(30_000, (minutes * 60_000) / 6);
const PROBE_EVERY_MS = 200;
const SAMPLE_EVERY_MS = 1_000;
const TOKEN = 'a token for the soak run';

const shop = await startOwnShop({ TRUST_PROXY: '1', METRICS_TOKEN: TOKEN, RATE_LIMITS: 'on' }, [
  '--max-old-space-size=512',
]);
const abusers = fork(new URL('soak/abusers.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
const probes: Probe[] = [];
const samples: Sample[] = [];
const began = performance.now();
let isAbused = false;
let counts = false;
let shoppers = 0;
let over = false;

async function order(on: boolean): Promise<void> {
  abusers.send({ url: shop.url, on, networks } satisfies Order);
  await once(abusers, 'message');
}

/** Another shopper each time, from another network, who looks at products and puts something in a cart. */
const OPERATIONS = [
  '{ products(first: 10) { nodes { title variants { sku available price { amount } } } } }',
  'mutation { cartLinesAdd(input: { lines: [{ sku: "ACACIA-250", quantity: 1 }] }) { cart { totalQuantity } errors { code } } }',
];

async function probe(): Promise<void> {
  shoppers += 1;
  const abused = isAbused;
  const isCounted = counts;
  const from = performance.now();
  const address = `203.0.${(shoppers >> 8) & 255}.${shoppers & 255}`;
  const ok = await fetch(`${shop.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify({ query: OPERATIONS[shoppers % OPERATIONS.length] }),
  }).then(
    async (response) => ((await response.json()) as { errors?: unknown }).errors === undefined,
    () => false,
  );
  // What began in one kind of time and ended in another says nothing of either.
  if (isCounted && abused === isAbused) probes.push({ abused, ms: performance.now() - from, ok });
}

async function sample(): Promise<void> {
  const response = await fetch(`${shop.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } }).catch(
    () => null,
  );
  const text = (await response?.text()) ?? '';
  const read = (name: string) => Number(new RegExp(`^vitrine_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  const [resident, unsent] = [read('process_resident_bytes'), read('unsent_bytes')];
  if (resident > 0) samples.push({ at: performance.now() - began, resident, unsent });
}

async function repeat(ms: number, work: () => Promise<void>): Promise<void> {
  while (!over) {
    const next = performance.now() + ms;
    await work();
    await delay(Math.max(0, next - performance.now()));
  }
}

const running = Promise.all([repeat(PROBE_EVERY_MS, probe), repeat(SAMPLE_EVERY_MS, sample)]);
const windows = Math.max(6, 2 * Math.round((minutes * 60_000) / WINDOW_MS / 2));
for (let window = 0; window < windows && shop.ended() === null; window += 1) {
  const abuse = window % 2 === 1;
  await order(abuse);
  isAbused = abuse;
  // Connecting, and being let go of, is over by then.
  await delay(WINDOW_MS * 0.1);
  counts = window >= 2;
  await delay(WINDOW_MS * 0.9);
  counts = false;
  const now = samples.at(-1);
  console.log(
    `${Math.round((performance.now() - began) / 1000)} s, ${abuse ? 'abused' : 'quiet'}: ${Math.round((now?.resident ?? 0) / 1e6)} MB, ${probes.length} requests of others`,
  );
}
over = true;
await running;
abusers.disconnect();
const ended = shop.ended();
await shop.stop();

const { lines, passed } = judge(probes, samples, shop.errors);
for (const line of lines) console.log(line);
if (ended !== null) console.log(`FAIL the shop ended with ${ended}`);
const ok = passed && ended === null;
console.log(`${minutes} minutes, ${networks} networks of abusers → ${ok ? 'PASS' : 'FAIL'}`);
process.exit(ok ? 0 : 1);

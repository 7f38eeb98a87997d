import { parseArgs } from 'node:util';
import { measure, type PerSocket } from './memory/compare.ts';

/*
 * npm run bench:memory: what an idle subscriber holds of a node's memory, beside what a bare socket of `ws` holds of a process
 * that has nothing else, with the same clients. Exit code 1 unless heap and external memory of a subscriber are less than twice
 * those of a bare socket, in the median of the rounds. With `--carts` each subscriber is a guest who follows a cart: nothing is
 * shared, and three times as much is allowed.
 */

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    snapshots: { type: 'string' },
    'logged-in': { type: 'boolean' },
    carts: { type: 'boolean' },
  },
});
const [sockets, rounds] = [Number(values.subscribers), Number(values.rounds)];
const { snapshots, 'logged-in': loggedIn, carts } = values;
const CARTS = 'subscription { cartChanged { cursor kind cart { id totalQuantity total { amount } } } }';
const who = carts === true ? 'guests' : loggedIn === true ? 'people' : null;
const env = {
  ...process.env,
  RATE_LIMITS: process.env.RATE_LIMITS ?? 'off',
  ...(process.env.DATABASE_URL === undefined ? { DATA_DIR: process.env.DATA_DIR ?? '.data/bench' } : {}),
};

const kinds = [
  ['heap', ({ heap }: PerSocket) => heap],
  ['external', ({ external }: PerSocket) => external],
  ['heap + external', ({ heap, external }: PerSocket) => heap + external],
  ['resident', ({ resident }: PerSocket) => resident],
] as const;
const kB = (bytes: number) => `${(bytes / 1000).toFixed(2)} kB`;

const MOST = carts === true ? 3 : 2;
const ratios: number[] = [];
for (let round = 1; round <= rounds; round += 1) {
  const bare = await measure('bare', { sockets, env, snapshots });
  const shop = await measure('shop', { sockets, env, snapshots, who, query: carts === true ? CARTS : null });
  console.log(`round ${round}, ${sockets} sockets, each:`);
  for (const [name, of] of kinds) {
    console.log(`  ${name}: shop ${kB(of(shop))}, bare ${kB(of(bare))}, ${(of(shop) / of(bare)).toFixed(2)} ×`);
  }
  ratios.push((shop.heap + shop.external) / (bare.heap + bare.external));
}
const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
const passed = median < MOST;
console.log(
  `${median.toFixed(2)} × the heap and external memory of a bare socket, ${MOST} at most → ${passed ? 'PASS' : 'FAIL'}`,
);
process.exitCode = passed ? 0 : 1;

import { parseArgs } from 'node:util';
import type { Claim } from './promises/claim.ts';
import { measureExpiry, measureExpiryOfShop } from './promises/expiry.ts';
import { measureSilentDatabase, measureSilentRedis } from './promises/outages.ts';
import { openPlace, type Place } from './promises/place.ts';
import { measureBesideAlerts, measureLogIns } from './promises/requests.ts';

// `npm run bench:promises`: what the shop promises of time. See README.md.

const USAGE = `What the shop promises of time, on a PostgreSQL of its own; each claim is a line with PASS or FAIL.

  npm run bench:promises -- [--only expiry,alerts,log-in,database,redis] [--redis redis://127.0.0.1:6379]

  --only   some of the measurements
  --redis  a Redis that answers; without it no claim about Redis is measured`;

const measurements: Record<string, (place: Place, redisUrl: string | undefined) => Promise<Claim[]>> = {
  expiry: async (place) => [
    await measureExpiry(place, 1),
    await measureExpiry(place, 2),
    await measureExpiryOfShop(place),
  ],
  alerts: async (place) => [await measureBesideAlerts(place)],
  'log-in': async (place) => [await measureLogIns(place)],
  database: (place) => measureSilentDatabase(place),
  redis: async (place, redisUrl) => (redisUrl === undefined ? [] : [await measureSilentRedis(place, redisUrl)]),
};

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  await using place = await openPlace();
  for (const name of options.only) {
    for (const { name: claim, passed, detail } of (await measurements[name]?.(place, options.redis)) ?? []) {
      console.log(`${passed ? 'PASS' : 'FAIL'}  ${claim}: ${detail}`);
      if (!passed) process.exitCode = 1;
    }
  }
}

function readOptions(args: string[]): { only: string[]; redis: string | undefined } | null {
  try {
    const { values } = parseArgs({ args, options: { only: { type: 'string' }, redis: { type: 'string' } } });
    const only = values.only?.split(',') ?? Object.keys(measurements);
    return only.every((name) => name in measurements) ? { only, redis: values.redis } : null;
  } catch {
    return null;
  }
}

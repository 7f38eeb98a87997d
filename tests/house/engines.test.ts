import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as unknown;
// The one that comes with another package.
const here = createRequire(import.meta.url);
const { satisfies } = createRequire(here.resolve('jsonwebtoken'))('semver') as {
  satisfies(version: string, range: string): boolean;
};

interface Locked {
  dev?: boolean;
  optional?: boolean;
  engines?: { node?: string } | string[];
}

test('every package of a production install runs on the oldest Node.js that the shop supports, so npm warns of none', () => {
  const { engines } = read('package.json') as { engines: { node: string } };
  const [, oldest = ''] = /^>=(\d+\.\d+)$/.exec(engines.node) ?? [];
  const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  expect(production.length).toBeGreaterThan(100);
  const unfit = production.filter(([, { engines: wanted }]) => {
    const range = wanted === undefined || Array.isArray(wanted) ? undefined : wanted.node;
    return range !== undefined && !satisfies(`${oldest}.0`, range);
  });
  expect(unfit.map(([path]) => path)).toEqual([]);
});

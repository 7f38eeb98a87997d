import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import Scheduled from './tests/support/sequencer.ts';

// Vite would take the ES modules of graphql where Yoga, which node loads, takes the others: there would be two
// GraphQLErrors, and neither side would know the other's.
const graphql = createRequire(import.meta.url).resolve('graphql');

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    // One more than the cores that the run must do with: tests also wait, for processes, browsers and one another. A fourth gains
    // little, since the processor has hardly any time left.
    maxWorkers: 3,
    // Files share a process, one after the other: no test may leave anything in module state, and loading the shop for
    // each file anew would double the run.
    isolate: false,
    execArgv: [
      ...['--require', fileURLToPath(new URL('tests/support/share-prisma.cjs', import.meta.url))],
      // Room for young objects: a tenth of the processor time of tests is saved that the collector would take.
      ...['--min-semi-space-size=32', '--max-semi-space-size=64'],
    ],
    sequence: { sequencer: Scheduled },
    // They end what hangs; no test may say by them how fast something is.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Shared machines stall now and then. What passed at the second try is listed at the end of the run.
    retry: process.env.CI === 'true' ? 1 : 0,
    teardownTimeout: 60_000,
    reporters: ['default', './tests/support/count-reporter.ts'],
  },
});

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What makes a file slow, and seconds that one with it takes, roughly, on two cores. */
const SLOW: readonly (readonly [RegExp, number])[] = [
  [/support\/browser\.ts/, 40],
  [/\btorture\(|runAsProcess|startShopProcess|startProcess/, 20],
  [/startEmbeddedPostgres|spawn\(|startRedis|openNodes/, 10],
];
const BYTES_PER_SECOND = 3_000;

/**
 * Files that wait two thirds of their time or more, for what a timer, a server that is down or a limit of the shop ends, and the seconds
 * that they take. Measured; what is not here is taken for one that keeps the processor busy.
 */
export const WAITING: Readonly<Record<string, number>> = {
  'tests/jobs/failover.test.ts': 23,
  'tests/http/unread.test.ts': 23,
  'tests/infra/migrations-killed.test.ts': 23,
  'tests/concurrency/expiry-job.test.ts': 23,
  'tests/jobs/away.test.ts': 22,
  'tests/mail/jobs.test.ts': 21,
  'tests/mail/sending.test.ts': 19,
  'tests/jobs/jobs.test.ts': 18,
  'tests/database/schemas.test.ts': 18,
  'tests/jobs/shop.test.ts': 18,
  'tests/api/currency/shop-currency.test.ts': 16,
  'tests/events/consumers.test.ts': 13,
  'tests/jobs/metrics.test.ts': 13,
  'tests/infra/migrations-locks.test.ts': 12,
  'tests/api/staff/failed-jobs.test.ts': 12,
  'tests/http/socket-credentials.test.ts': 11,
  'tests/api/orders/guest-token.test.ts': 9,
  'tests/database/trouble.test.ts': 9,
  'tests/infra/rate-limiter.test.ts': 8,
  'tests/http/presence.test.ts': 8,
  'tests/events/feed.test.ts': 7,
  'tests/subscriptions/reading-fails.test.ts': 7,
  'tests/http/websocket.test.ts': 6,
  'tests/api/accounts/sockets.test.ts': 6,
  'tests/infra/migrations.test.ts': 6,
  'tests/subscriptions/resume.test.ts': 6,
  'tests/database/silence.test.ts': 5,
  'tests/events/redis-bus.test.ts': 5,
};

/** A test file, and what is known of how long it takes. */
export interface Timed {
  seconds: number;
  /** Whether it leaves the processor to others for most of that time. */
  waits: boolean;
}

/** How long a file will take, and whether it waits: known, or guessed from what is in it. */
export function timeOf(path: string, source: string): Timed {
  const known = WAITING[path];
  if (known !== undefined) return { seconds: known, waits: true };
  const slow = SLOW.filter(([pattern]) => pattern.test(source)).map(([, seconds]) => seconds);
  return { seconds: Math.max(0, ...slow) + source.length / BYTES_PER_SECOND, waits: false };
}

/**
 * Orders files for workers that each take the next one when they are done: one worker is always on a file that waits, as long as there are
 * any, while the others keep the processor busy. Of either kind the longest come first, so that the run does not end with one worker on a
 * long file and the others idle.
 */
export function schedule<File extends Timed>(files: readonly File[], workers: number): File[] {
  const longestFirst = files.toSorted((a, b) => b.seconds - a.seconds);
  const waiting = longestFirst.filter(({ waits }) => waits);
  const busy = longestFirst.filter(({ waits }) => !waits);
  // When each worker is done with what it has; the first is the one for files that wait.
  const doneAt = Array.from({ length: workers }, () => 0);
  const order: File[] = [];
  while (order.length < files.length) {
    const worker = doneAt.indexOf(Math.min(...doneAt));
    const [first, second] = worker === 0 && workers > 1 ? [waiting, busy] : [busy, waiting];
    const file = first.shift() ?? second.shift();
    if (file === undefined) break;
    order.push(file);
    doneAt[worker] = (doneAt[worker] ?? 0) + file.seconds;
  }
  return order;
}

/**
 * Gives files to workers as `schedule` says. Vitest knows how long a file takes only where a run before this one left a cache, which a
 * fresh clone does not have.
 */
export default class Scheduled extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, maxWorkers } = this.ctx.config;
    const timed = files.map((file) => {
      const path = relative(root, file.moduleId).replaceAll('\\', '/');
      return { file, ...timeOf(path, readFileSync(file.moduleId, 'utf8')) };
    });
    return Promise.resolve(schedule(timed, maxWorkers).map(({ file }) => file));
  }
}

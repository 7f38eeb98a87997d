import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What a file has that starts processes, servers or a browser, and waits for them now and then. */
const STARTS =
  /support\/browser\.ts|\btorture\(|runAsProcess|startShopProcess|startProcess|startEmbeddedPostgres|spawn\(|startRedis|openNodes/;

/** How much of a processor a file keeps busy, roughly, and how much of such a file is done in a second. Measured on two cores. */
const KINDS = {
  computes: { load: 1, bytesPerSecond: 3_000 },
  starts: { load: 0.75, bytesPerSecond: 1_000 },
} as const;
const WAITING_LOAD = 0.15;

/** What the files that run at the same time should keep busy, beyond the processors that there are: none does so all the time. */
const SURPLUS = 0.3;

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

/** Seconds of the longest of the files that start something, measured: their size says little. */
export const LONG: Readonly<Record<string, number>> = {
  'tests/web/shop-window.test.ts': 65,
  'tests/web/dashboard.test.ts': 54,
  'tests/http/stop.test.ts': 48,
  'tests/mail/crash.test.ts': 37,
  'tests/concurrency/torture-events.test.ts': 34,
  'tests/subscriptions/nodes.test.ts': 28,
  'tests/web/payments.test.ts': 25,
  'tests/concurrency/torture-faults.test.ts': 24,
  'tests/subscriptions/workers-processes.test.ts': 24,
  'tests/web/shop-window-access.test.ts': 23,
  'tests/infra/embedded-postgres.test.ts': 20,
};

/** A test file, and what is known of how long it takes. */
export interface Timed {
  seconds: number;
  /** How much of a processor it keeps busy, from 0 to 1. */
  load: number;
}

/** How long a file will take, and what it keeps busy: known, or guessed from what is in it. */
export function timeOf(path: string, source: string): Timed {
  const known = WAITING[path];
  if (known !== undefined) return { seconds: known, load: WAITING_LOAD };
  const { load, bytesPerSecond } = STARTS.test(source) ? KINDS.starts : KINDS.computes;
  return { seconds: LONG[path] ?? source.length / bytesPerSecond, load };
}

/**
 * Orders files for workers that each take the next one when they are done, of which there is one more than processors. Each file goes
 * beside others with which it keeps the processors busy: one that waits beside two that compute, for example. Of files alike the longest
 * come first, so that the run does not end with one worker on a long file and the others idle.
 */
export function schedule<File extends Timed>(files: readonly File[], workers: number): File[] {
  const wanted = Math.max(workers - 1, 1) + SURPLUS;
  const left = files.toSorted((a, b) => b.seconds - a.seconds);
  const lanes = Array.from({ length: workers }, () => ({ doneAt: 0, load: 0 }));
  const order: File[] = [];
  while (left.length > 0) {
    const lane = lanes.reduce((first, other) => (other.doneAt < first.doneAt ? other : first));
    const others = lanes.filter((other) => other !== lane && other.doneAt > lane.doneAt);
    const missing = wanted - others.reduce((sum, { load }) => sum + load, 0);
    const fits = left.reduce((best, file) =>
      Math.abs(file.load - missing) < Math.abs(best.load - missing) ? file : best,
    );
    left.splice(left.indexOf(fits), 1);
    order.push(fits);
    Object.assign(lane, { doneAt: lane.doneAt + fits.seconds, load: fits.load });
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

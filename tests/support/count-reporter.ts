import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Prints a plain count as the very last line of a run: `412 passed, 0 failed, 0 skipped`. Before it come the tests that
 * passed only when they were tried again, each on a line of its own: they are faults to be mended.
 */
export default class CountReporter implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #flaky: string[] = [];

  onInit(): void {
    // After the other reporters, the coverage and the teardown: nothing is printed later.
    process.once('exit', (code) => {
      const { passed, failed, skipped } = this.#counts;
      // Where the run did not even begin, as when the database does not start, nothing was counted.
      const faults = code === 0 ? failed : Math.max(failed, 1);
      for (const name of this.#flaky) writeSync(process.stdout.fd, `passed at the second try: ${name}\n`);
      writeSync(process.stdout.fd, `${passed} passed, ${faults} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = Object.assign(this.#counts, { passed: 0, failed: unhandledErrors.length, skipped: 0 });
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        if (test.diagnostic()?.flaky === true) this.#flaky.push(`${module.moduleId} > ${test.fullName}`);
        const { state } = test.result();
        // Pending: the run was broken off.
        counts[state === 'pending' ? 'skipped' : state] += 1;
      }
      // A file that does not load, or whose hook fails, has no failed test.
      if (!module.ok() && counts.failed === before) counts.failed += 1;
    }
  }
}

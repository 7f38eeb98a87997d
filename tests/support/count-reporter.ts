import { writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { TestError } from 'vitest';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

const MAX_ERROR_CHARACTERS = 3_000;

/**
 * Prints a plain count as the very last line of a run: `412 passed, 0 failed, 0 skipped`. Before it come the tests that
 * passed only when they were tried again, each with what went wrong at the first try: they are faults to be fixed.
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
        const { state, errors = [] } = test.result();
        if (test.diagnostic()?.flaky === true) {
          this.#flaky.push([`${module.moduleId} > ${test.fullName}`, ...errors.map(describe)].join('\n'));
        }
        // Pending: the run was broken off.
        counts[state === 'pending' ? 'skipped' : state] += 1;
      }
      // A file that does not load, or whose hook fails, has no failed test.
      if (!module.ok() && counts.failed === before) counts.failed += 1;
    }
  }
}

/** What was thrown: its message, what differed, and where in the tests. */
function describe({ message, diff, stack = '' }: TestError): string {
  const where = stack.split('\n').find((line) => line.includes('/tests/')) ?? '';
  const text = stripVTControlCharacters([message, diff ?? '', where.trim()].join('\n')).slice(0, MAX_ERROR_CHARACTERS);
  return text.replaceAll(/^/gm, '    ');
}

import { describe, expect, test } from 'vitest';
import { tally, verdictOf, type RunReport } from '../../scripts/test-repeat/tally.ts';

const ROOT = '/project';

function report(results: Record<string, 'passed' | 'failed'>, more: Partial<RunReport> = {}): RunReport {
  const assertionResults = Object.entries(results).map(([fullName, status]) => ({ fullName, status }));
  const failed = Object.values(results).includes('failed');
  return {
    success: !failed,
    numTotalTests: assertionResults.length,
    testResults: [{ name: `${ROOT}/tests/a.test.ts`, status: failed ? 'failed' : 'passed', assertionResults }],
    ...more,
  };
}

describe('runs of the same tests', () => {
  test('pass where no test failed in any of them', () => {
    const result = tally([report({ one: 'passed', two: 'passed' }), report({ one: 'passed', two: 'passed' })], ROOT);
    expect(result).toEqual({ failures: [], tests: 2, passed: true });
    expect(verdictOf(result, 2, true)).toEqual(['2 runs of 2 tests beside a busy loop: PASS']);
  });

  test('list each test that failed, with its runs, the most frequent first', () => {
    const result = tally(
      [
        report({ one: 'failed', two: 'passed' }),
        report({ one: 'passed', two: 'failed' }),
        report({ one: 'passed', two: 'failed' }),
      ],
      ROOT,
    );
    expect(verdictOf(result, 3, false)).toEqual([
      'failed in 2 of 3 (2, 3): tests/a.test.ts > two',
      'failed in 1 of 3 (1): tests/a.test.ts > one',
      '3 runs of 2 tests: 2 failed at least once → FAIL',
    ]);
  });

  test.each<[string, RunReport | null, string]>([
    ['has no report', null, 'the run itself, which ended without a report'],
    [
      'has a file that does not load',
      report(
        {},
        { success: false, testResults: [{ name: `${ROOT}/b.test.ts`, status: 'failed', assertionResults: [] }] },
      ),
      'b.test.ts',
    ],
    [
      'fails though every test passed',
      report({ one: 'passed' }, { success: false }),
      'the run itself: an error outside of tests, or no test was found',
    ],
  ])('fail where one of them %s', (_what, broken, name) => {
    expect(tally([report({ one: 'passed' }), broken], ROOT)).toMatchObject({
      failures: [{ name, runs: [2] }],
      passed: false,
    });
  });

  test('fail where there was none', () => {
    expect(tally([], ROOT).passed).toBe(false);
  });
});

/** What Vitest's JSON reporter says of a run, as far as it is read here. */
export interface RunReport {
  success: boolean;
  numTotalTests: number;
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** A test, or a file, that failed. */
export interface Failure {
  name: string;
  /** Numbers of the runs in which it failed, the first run being 1. */
  runs: number[];
}

export interface Tally {
  /** In order of the number of failures, the most frequent first. */
  failures: Failure[];
  /** The most tests that were in one run. */
  tests: number;
  passed: boolean;
}

/**
 * Sums up runs of the same tests.
 * @param reports the report of each run; null where the run ended without one
 * @param root absolute path of the project, which is left out of names
 */
export function tally(reports: readonly (RunReport | null)[], root: string): Tally {
  const runsByName = new Map<string, number[]>();
  const note = (name: string, run: number) => {
    const runs = runsByName.get(name) ?? [];
    if (!runs.includes(run)) runsByName.set(name, [...runs, run]);
  };
  for (const [index, report] of reports.entries()) {
    const run = index + 1;
    if (report === null) {
      note('the run itself, which ended without a report', run);
      continue;
    }
    const before = [...runsByName.values()].flat().length;
    for (const file of report.testResults) {
      const path = file.name.replace(`${root}/`, '');
      const failed = file.assertionResults.filter(({ status }) => status === 'failed');
      for (const { fullName } of failed) note(`${path} > ${fullName}`, run);
      // A file that does not load, or whose hook fails, has no failed test.
      if (file.status === 'failed' && failed.length === 0) note(path, run);
    }
    if (!report.success && [...runsByName.values()].flat().length === before) {
      note('the run itself: an error outside of tests, or no test was found', run);
    }
  }
  const failures = [...runsByName].map(([name, runs]) => ({ name, runs }));
  return {
    failures: failures.toSorted((a, b) => b.runs.length - a.runs.length || (a.name < b.name ? -1 : 1)),
    tests: Math.max(0, ...reports.map((report) => report?.numTotalTests ?? 0)),
    passed: reports.length > 0 && failures.length === 0,
  };
}

/** The verdict as lines to print. */
export function verdictOf({ failures, tests, passed }: Tally, times: number, busy: boolean): string[] {
  const beside = busy ? ' beside a busy loop' : '';
  return [
    ...failures.map(({ name, runs }) => `failed in ${runs.length} of ${times} (${runs.join(', ')}): ${name}`),
    `${times} runs of ${tests} tests${beside}: ${passed ? 'PASS' : `${failures.length} failed at least once → FAIL`}`,
  ];
}

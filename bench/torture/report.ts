import type { Crowd, Outcome } from './buyers.ts';
import type { Facts, Verdict } from './verdict.ts';

/** All that a person wants to know after a run, the verdict last. */
export function createReport(run: { facts: Facts; verdict: Verdict; crowd: Crowd; seconds: number }): string {
  const { verdict, crowd, seconds } = run;
  const all = Object.values(crowd.latencies).flat();
  const rows: [string, string][] = [
    ['buyers', describe(crowd.outcomes, ({ end }) => end)],
    ...(crowd.outcomes.some(({ account }) => account !== null)
      ? [['accounts', describe(crowd.outcomes, ({ account }) => account ?? 'a guest')] satisfies [string, string]]
      : []),
    ['requests', `${all.length} in ${seconds.toFixed(1)} s, ${Math.round(all.length / seconds)} a second`],
    ['latency', spread(all)],
    ...Object.entries(crowd.latencies)
      .filter(([, times]) => times.length > 0)
      .map(([step, times]): [string, string] => [`  ${step}`, `${spread(times)} (${times.length})`]),
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`);
  const checks = verdict.checks.map(({ name, passed, detail }) => `  ${passed ? '✓' : '✗'} ${name}: ${detail}`);
  return ['', ...lines, '', ...checks, '', verdict.line, ''].join('\n');
}

function describe(outcomes: readonly Outcome[], kindOf: (outcome: Outcome) => string): string {
  const kinds = new Map<string, number>();
  for (const outcome of outcomes) kinds.set(kindOf(outcome), (kinds.get(kindOf(outcome)) ?? 0) + 1);
  return [...kinds]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return 'none';
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, at most ${at(1)} ms`;
}

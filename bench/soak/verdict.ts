/** One request of somebody who has nothing to do with the abuse. */
export interface Probe {
  /** Whether the abusers were there. */
  abused: boolean;
  ms: number;
  ok: boolean;
}

/** The memory of the shop at some time, in bytes. */
export interface Sample {
  /** Milliseconds since the beginning. */
  at: number;
  resident: number;
  unsent: number;
}

export interface Verdict {
  lines: string[];
  passed: boolean;
}

/** Fewer requests say nothing. */
const LEAST_PROBES = 20;
/** How much longer others may wait while the shop is abused. */
const MOST_RATIO = 2;
/** What memory may grow by from the second quarter to the last: garbage that was not collected yet. */
const GROWTH = { ratio: 1.2, bytes: 40_000_000 };

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const quantile = (values: readonly number[], share: number) =>
  sorted(values)[Math.floor(values.length * share)] ?? Number.NaN;
const MB = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Compares what others waited with and without the abuse, and the memory of the shop with itself. */
export function judge(probes: readonly Probe[], samples: readonly Sample[], errors: readonly string[]): Verdict {
  const lines: string[] = [];
  let passed = true;
  const say = (what: string, ok: boolean) => {
    lines.push(`${ok ? 'ok  ' : 'FAIL'} ${what}`);
    passed &&= ok;
  };

  const times = (abused: boolean) => probes.filter((probe) => probe.abused === abused && probe.ok).map(({ ms }) => ms);
  const [control, abused] = [times(false), times(true)];
  say(
    `${control.length} requests of others in quiet, ${abused.length} beside the abuse`,
    control.length > LEAST_PROBES && abused.length > LEAST_PROBES,
  );
  for (const share of [0.5, 0.95]) {
    const [without, beside] = [quantile(control, share), quantile(abused, share)];
    const ratio = beside / without;
    say(
      `${share * 100} % of them within ${without.toFixed(1)} ms in quiet, ${beside.toFixed(1)} ms beside the abuse: ${ratio.toFixed(2)} ×`,
      ratio <= MOST_RATIO,
    );
  }
  const failed = probes.filter(({ ok }) => !ok).length;
  say(`${failed} requests of others failed`, failed === 0);

  const end = samples.at(-1)?.at ?? 0;
  const mean = (from: number, to: number) => {
    const part = samples.filter(({ at }) => at >= from * end && at <= to * end).map(({ resident }) => resident);
    return part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length);
  };
  const [early, late] = [mean(0.25, 0.5), mean(0.75, 1)];
  const most = Math.max(...samples.map(({ resident }) => resident));
  const unsent = Math.max(...samples.map((sample) => sample.unsent));
  say(
    `memory ${MB(early)} in the second quarter, ${MB(late)} in the last, ${MB(most)} at most; ${MB(unsent)} unsent at most`,
    late <= early * GROWTH.ratio + GROWTH.bytes,
  );
  say(`${errors.length} errors logged`, errors.length === 0);
  for (const line of errors.slice(0, 10)) lines.push(`     ${line.slice(0, 600)}`);
  return { lines, passed };
}

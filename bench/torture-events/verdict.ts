import type { Change, Logged } from './shelf.ts';

/** What one subscriber was to see, and saw. */
export interface Followed {
  name: string;
  /** The variants that it watched. */
  variantIds: ReadonlySet<string>;
  seen: readonly Change[];
}

/** How a sequence differs from the log's. */
export interface Difference {
  /** Events that were not seen. */
  gaps: number;
  /** Events that were seen again. */
  repeats: number;
  /** Events that came after a later one. */
  disorder: number;
  /** Events that are not in the log, or say something else there. */
  strangers: number;
}

/** What was done to the shop meanwhile, and what came of it. */
export interface Acts {
  /** Null: no node was killed. Else how many subscribers and writers used it once it was back. */
  usedAfterKill: number | null;
  /** Null: no Redis was killed. Else how many nodes noticed that it was away, and how many that it was back; of how many. */
  redis: { missed: number; met: number; nodes: number } | null;
}

/** Everything that is judged. */
export interface Facts extends Acts {
  seconds: number;
  log: readonly Logged[];
  followed: readonly Followed[];
  drops: number;
  /** Answers and ends that nobody should ever get. */
  faults: readonly string[];
}

export interface Verdict {
  checks: { name: string; passed: boolean; detail: string }[];
  /** All of it in one line. */
  line: string;
  exitCode: 0 | 1;
}

/** Compares what was seen with what the log has. */
export function compare(seen: readonly Change[], expected: readonly Change[]): Difference {
  const levels = new Map(expected.map(({ seq, available }) => [seq, available]));
  const known = new Set<number>();
  const difference: Difference = { gaps: 0, repeats: 0, disorder: 0, strangers: 0 };
  let last = 0;
  for (const { seq, available } of seen) {
    if (levels.get(seq) !== available) difference.strangers += 1;
    else if (known.has(seq)) difference.repeats += 1;
    else {
      if (seq < last) difference.disorder += 1;
      known.add(seq);
      last = Math.max(last, seq);
    }
  }
  difference.gaps = levels.size - known.size;
  return difference;
}

/** Whether each subscriber's sequence is the log's. */
export function judge({ seconds, log, followed, drops, faults, usedAfterKill, redis }: Facts): Verdict {
  const checks: Verdict['checks'] = [];
  const check = (name: string, passed: boolean, detail: string) => checks.push({ name, passed, detail });
  const differences = followed.map(({ name, variantIds, seen }) => {
    const expected = log.filter(({ variantId }) => variantIds.has(variantId));
    return { name, ...compare(seen, expected) };
  });
  const total = (kind: keyof Difference) => differences.reduce((sum, difference) => sum + difference[kind], 0);
  const one = (kind: keyof Difference, what: string) => {
    const worst = differences.toSorted((a, b) => b[kind] - a[kind])[0];
    const count = total(kind);
    const detail =
      count === 0 || worst === undefined ? 'none' : `${count} ${what}, ${worst[kind]} of them by ${worst.name}`;
    return [count === 0, detail] as const;
  };
  check('nothing was missed', ...one('gaps', 'were not seen'));
  check('nothing came twice', ...one('repeats', 'came again'));
  check('nothing came out of order', ...one('disorder', 'came after a later one'));
  check('nothing came that the log does not have', ...one('strangers', 'are not in the log as they were seen'));
  check('there was something to miss', log.length > 0 && drops > 0, `${log.length} events, ${drops} drops`);
  check(
    'no answer was unexpected',
    faults.length === 0,
    faults.length === 0 ? 'no fault' : `${faults.length}, the first: ${faults[0]}`,
  );
  if (usedAfterKill !== null) {
    check('the node that was killed is used again', usedAfterKill > 0, `${usedAfterKill} connections since it is back`);
  }
  if (redis !== null) {
    const { missed, met, nodes } = redis;
    const detail = `${missed} of ${nodes} nodes missed it, ${met} have it again`;
    check('Redis was killed and came back', missed === nodes && met === nodes, detail);
  }
  const passed = checks.every((each) => each.passed);
  const seen = followed.reduce((sum, subscriber) => sum + subscriber.seen.length, 0);
  const counts = `gaps ${total('gaps')}, repeats ${total('repeats')}, disorder ${total('disorder')}, strangers ${total('strangers')}`;
  const without = redis === null ? '' : ', Redis killed and back';
  const line = `${seconds} s, ${log.length} events, ${followed.length} subscribers dropped ${drops} times, who saw ${seen}${without}: ${counts} → ${passed ? 'PASS' : 'FAIL'}`;
  return { checks, line, exitCode: passed ? 0 : 1 };
}

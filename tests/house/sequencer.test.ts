import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { schedule, timeOf, WAITING } from '../support/sequencer.ts';

const ROOT = join(import.meta.dirname, '../..');
const busy = (name: string, seconds: number) => ({ name, seconds, waits: false });
const waiting = (name: string, seconds: number) => ({ name, seconds, waits: true });
const namesOf = (files: readonly { name: string }[]) => files.map(({ name }) => name).join(' ');

describe('the order of test files', () => {
  test('one worker is on a file that waits while there is one, and the others are not', () => {
    const files = [
      busy('a', 10),
      waiting('w', 6),
      busy('b', 4),
      busy('c', 12),
      waiting('x', 9),
      busy('d', 3),
      busy('e', 2),
    ];
    // The first worker takes x, w and e; the second c and d; the third a and b.
    expect(namesOf(schedule(files, 3))).toBe('x c a w b d e');
  });

  test('files that wait are done one after the other where nothing else is left, and by a single worker last', () => {
    expect(namesOf(schedule([waiting('w', 6), busy('a', 1), waiting('x', 9)], 2))).toBe('x a w');
    expect(namesOf(schedule([waiting('w', 6), busy('a', 1), busy('b', 2)], 1))).toBe('b a w');
  });

  test('each file is there once, whatever they take', () => {
    const files = Array.from({ length: 100 }, (_, index) => ({
      name: String(index),
      seconds: (index * 37) % 23,
      waits: index % 4 === 0,
    }));
    const names = schedule(files, 3).map(({ name }) => name);
    expect(names.toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  });

  test('files that are known to wait are there', () => {
    expect(Object.keys(WAITING).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(timeOf('tests/jobs/away.test.ts', '')).toEqual({ seconds: WAITING['tests/jobs/away.test.ts'], waits: true });
    expect(timeOf('tests/new.test.ts', "import '../support/browser.ts';").seconds).toBeGreaterThan(40);
  });
});

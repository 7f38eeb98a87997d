import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LONG, schedule, timeOf, WAITING } from '../support/sequencer.ts';

const ROOT = join(import.meta.dirname, '../..');
const busy = (name: string, seconds: number) => ({ name, seconds, load: 1 });
const waiting = (name: string, seconds: number) => ({ name, seconds, load: 0.15 });
const half = (name: string, seconds: number) => ({ name, seconds, load: 0.75 });
const namesOf = (files: readonly { name: string }[]) => files.map(({ name }) => name).join(' ');

describe('the order of test files', () => {
  test('files go beside others with which they keep the processors busy, the longest first', () => {
    const files = [
      busy('a', 10),
      waiting('w', 6),
      busy('b', 4),
      busy('c', 12),
      half('h', 20),
      waiting('x', 9),
      half('i', 8),
      busy('d', 3),
    ];
    // Beside two that compute goes one that waits, and where those are done, one that does both.
    expect(namesOf(schedule(files, 3))).toBe('c a x w b d h i');
  });

  test('where nothing fits, the next best is taken', () => {
    expect(namesOf(schedule([waiting('w', 6), busy('a', 1), waiting('x', 9)], 2))).toBe('a x w');
    expect(namesOf(schedule([waiting('w', 6), busy('a', 1), busy('b', 2)], 2))).toBe('b w a');
    expect(namesOf(schedule([waiting('w', 6), half('h', 1), busy('b', 2)], 1))).toBe('b h w');
  });

  test('each file is there once, whatever they take', () => {
    const files = Array.from({ length: 100 }, (_, index) => ({
      name: String(index),
      seconds: (index * 37) % 23,
      load: [0.15, 0.75, 1][index % 3] ?? 1,
    }));
    const names = schedule(files, 3).map(({ name }) => name);
    expect(names.toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  });

  test('files of which the time is known are there', () => {
    expect([WAITING, LONG].flatMap(Object.keys).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(timeOf('tests/jobs/away.test.ts', '')).toEqual({ seconds: WAITING['tests/jobs/away.test.ts'], load: 0.15 });
    expect(timeOf('tests/web/shop-window.test.ts', "import '../support/browser.ts';").seconds).toBe(65);
    expect(timeOf('tests/new.test.ts', "import '../support/browser.ts';").load).toBe(0.75);
  });
});

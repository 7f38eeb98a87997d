import { expect, test, vi } from 'vitest';
import { createEventTexts } from '../../src/graphql/live/event-texts.ts';

/* The texts of executed events: what is found again, and what is forgotten. */

const RECORDED = { name: 'a document', isRecorded: true };
const STATE = { name: 'another document', isRecorded: false };

const texts = (from: number, to: number, length = 10) =>
  Array.from({ length: to - from + 1 }, (_, index): [number, string] => [
    from + index,
    `${from + index}`.padEnd(length),
  ]);

test('texts are found by their document and number, however they were handed over', () => {
  const store = createEventTexts();
  store.keep(RECORDED, texts(1, 100));
  store.keep(RECORDED, texts(150, 150));
  store.keep(RECORDED, [
    [101, 'a'],
    [140, 'b'],
    [102, 'c'],
  ]);
  for (const [seq, text] of [...texts(1, 100), ...texts(150, 150)]) expect(store.find(RECORDED, seq)).toBe(text);
  expect([101, 140, 102].map((seq) => store.find(RECORDED, seq))).toEqual(['a', 'b', 'c']);
  expect(store.find(RECORDED, 103)).toBeUndefined();
  expect(store.find(STATE, 1)).toBeUndefined();
});

test('texts take no more memory than they may, and the oldest are forgotten first', () => {
  const store = createEventTexts(100_000);
  for (let from = 1; from < 1_000; from += 5) store.keep(RECORDED, texts(from, from + 4, 1_000));
  const found = texts(1, 1_000, 1_000).filter(([seq]) => store.find(RECORDED, seq) !== undefined);
  expect(found.length).toBeGreaterThan(0);
  expect(found.length).toBeLessThan(100);
  expect(found.at(-1)?.[0]).toBe(1_000);
  // Of neighbours that are too large together, the last ones are kept.
  store.keep(RECORDED, texts(2_001, 2_001, 5_000));
  expect(store.find(RECORDED, 2_001)).toBeDefined();
  store.keep(RECORDED, texts(2_002, 2_002, 5_000));
  expect(store.find(RECORDED, 2_001)).toBeUndefined();
  expect(store.find(RECORDED, 2_002)).toBeDefined();
});

test('a text that shows a state of the shop is forgotten after a minute, whatever was kept beside it meanwhile', () => {
  // The cache looks at the clock once in a millisecond, for which it has a timer.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let now = 1_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const pass = (ms: number) => {
    now += ms;
    vi.advanceTimersByTime(ms);
  };
  try {
    const store = createEventTexts();
    store.keep(STATE, texts(1, 1));
    store.keep(RECORDED, texts(1, 1));
    pass(40_000);
    store.keep(STATE, texts(2, 2));
    expect(store.find(STATE, 1)).toBe('1'.padEnd(10));
    pass(21_000);
    expect(store.find(STATE, 1)).toBeUndefined();
    expect(store.find(RECORDED, 1)).toBe('1'.padEnd(10));
    store.keep(STATE, texts(3, 3));
    expect(store.find(STATE, 3)).toBe('3'.padEnd(10));
  } finally {
    clock.mockRestore();
    vi.useRealTimers();
  }
});

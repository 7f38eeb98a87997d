import { expect, test } from 'vitest';
import { createChanges } from '../../src/events/changes.ts';

const changed = (subjectId: string, type = 'product_changed') => ({ type, subjectId });

test('a name is unchanged until an event has it as its subject or its type', () => {
  const changes = createChanges(['product_changed', 'stock_changed']);
  const before = changes.mark();
  changes.note([changed('a'), changed('v', 'stock_changed')]);
  expect(changes.isUnchanged(['b', 'c'], before)).toBe(true);
  for (const name of ['a', 'v', 'product_changed', 'stock_changed'])
    expect(changes.isUnchanged(['b', name], before), name).toBe(false);
  expect(changes.isUnchanged(['a', 'product_changed'], changes.mark())).toBe(true);
});

test('events of other types do not count', () => {
  const changes = createChanges(['product_changed']);
  const before = changes.mark();
  changes.note([changed('a', 'cart_changed')]);
  expect(changes.isUnchanged(['a', 'cart_changed'], before)).toBe(true);
  expect(changes.mark()).toBe(before);
});

test('what is forgotten counts as changed, whatever it is', () => {
  const changes = createChanges(['product_changed']);
  const before = changes.mark();
  changes.forget();
  expect(changes.isUnchanged([], before)).toBe(false);
  expect(changes.isUnchanged(['a'], changes.mark())).toBe(true);
});

test('the number of names is bounded', () => {
  const changes = createChanges(['product_changed'], 10);
  const before = changes.mark();
  for (let n = 0; n < 9; n += 1) changes.note([changed(String(n))]);
  expect(changes.isUnchanged(['other'], before)).toBe(true);
  changes.note([changed('9')]);
  expect(changes.isUnchanged(['other'], before)).toBe(false);
  expect(changes.isUnchanged(['9', 'other'], changes.mark())).toBe(true);
});

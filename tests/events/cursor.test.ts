import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts';

const epoch = '0123456789abcdef';

test.each([0, 1, 42, Number.MAX_SAFE_INTEGER])(
  'a cursor of %d comes back as it was, and fits into an address',
  (seq) => {
    const cursor = encodeCursor({ epoch, seq });
    expect(decodeCursor(cursor)).toEqual({ epoch, seq });
    expect(encodeURIComponent(cursor)).toBe(cursor);
  },
);

test.each([
  ['nothing', ''],
  ['no cursor', 'nonsense'],
  ['a plain one', `${epoch}.1`],
  ['no number', encoded(`${epoch}.`)],
  ['a negative number', encoded(`${epoch}.-1`)],
  ['a fraction', encoded(`${epoch}.1.5`)],
  ['a number beyond what a number holds', encoded(`${epoch}.9007199254740993`)],
  ['a shorter epoch', encoded('0123.1')],
  ['an epoch in capitals', encoded('0123456789ABCDEF.1')],
  ['something before', encoded(` ${epoch}.1`)],
  ['something after', encoded(`${epoch}.1\n`)],
  ['a global ID', Buffer.from('ProductVariant:018f2f6e-0000-7000-8000-000000000000').toString('base64')],
  ['another script', '♥♥♥♥'],
  ['a megabyte', 'A'.repeat(1_000_000)],
])('%s is none', (_what, text) => {
  expect(decodeCursor(text)).toBeNull();
});

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

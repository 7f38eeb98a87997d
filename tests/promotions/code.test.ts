import { describe, expect, it } from 'vitest';
import { normalizeCode } from '../../src/modules/promotions/code.ts';

describe('a discount code', () => {
  it.each([
    ['lower case', 'summer10', 'SUMMER10'],
    ['full-width letters and digits', 'ＳＵＭＭＥＲ１０', 'SUMMER10'],
    ['a ligature', 'oﬃce', 'OFFICE'],
    ['the letter ß', 'spaß', 'SPASS'],
    ['the capital letter ẞ', 'SPAẞ', 'SPASS'],
    ['the Turkish i without a dot', 'ındirim', 'INDIRIM'],
    ['the Turkish I with a dot', 'İNDİRİM', 'INDIRIM'],
    ['an i with a combining dot', 'i\u0307ndirim', 'INDIRIM'],
    ['a letter that is composed of two characters', 'cafe\u0301', 'CAFÉ'],
    ['the Greek final sigma', 'ος', 'ΟΣ'],
    ['spaces, tabs and line breaks around the code', ' \t\u3000summer10\u00A0\r\n', 'SUMMER10'],
    ['spaces inside the code', 'summer \u2003 10', 'SUMMER 10'],
    ['invisible characters', '\uFEFFsum\u00ADmer\u200B10', 'SUMMER10'],
    ['a character outside the basic plane', '🍯50', '🍯50'],
  ])('is compared regardless of %s', (_, code, normalized) => {
    expect(normalizeCode(code)).toBe(normalized);
    expect(normalizeCode(normalized)).toBe(normalized);
  });

  it('has at most 64 characters, whatever they are made of', () => {
    expect(normalizeCode('x'.repeat(64))).toBe('X'.repeat(64));
    expect(normalizeCode(` ${'x'.repeat(64)} `)).toBe('X'.repeat(64));
    expect(normalizeCode('x'.repeat(65))).toBeNull();
    expect(normalizeCode('🍯'.repeat(64))).toBe('🍯'.repeat(64));
    expect(normalizeCode('🍯'.repeat(65))).toBeNull();
    // One character that becomes 18.
    expect(normalizeCode('\uFDFA'.repeat(64))).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['white space alone', ' \u3000\n'],
    ['invisible characters alone', '\u200B\u00AD'],
    ['a control character', 'a\u0000b'],
    ['a line break inside', 'a\nb'],
    ['half of a surrogate pair', 'a\uD83C'],
  ])('is not %s', (_, code) => {
    expect(normalizeCode(code)).toBeNull();
  });

  it('normalizes to a form that stays, for every character of the basic plane, in either case', () => {
    const changed: string[] = [];
    for (let point = 0; point < 0x1_00_00; point += 1) {
      const code = `A${String.fromCodePoint(point)}B`;
      const normalized = normalizeCode(code);
      if (normalized === null) continue;
      const forms = [normalized, code.toLowerCase(), code.toUpperCase()].map((form) => normalizeCode(form));
      if (forms.some((form) => form !== normalized)) changed.push(point.toString(16));
    }
    expect(changed).toEqual([]);
  });
});

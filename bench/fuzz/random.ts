/** Numbers that look random, and are the same for the same seed. */
export interface Random {
  /** From 0 to 1, without 1. */
  next(): number;
  /** A whole number below `most`. */
  below(most: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/**
 * Makes them (mulberry32).
 * @param seed of the run
 * @param input its number in the run: each input can be made again without those before it
 */
export function createRandom(seed: number, input = 0): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(input + 1, 0xc2b2ae35)) | 0;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  const below = (most: number) => Math.floor(next() * most);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick<T>(items: readonly T[]): T {
      const item = items[below(items.length)];
      if (item === undefined && items.length === 0) throw new Error('there is nothing to pick from');
      return item as T;
    },
  };
}

const TEXTS = [
  '',
  ' ',
  'x',
  'a\u0000b',
  '\u0000',
  '\ud800',
  'x\udfffy',
  "'; DROP TABLE carts; --",
  '%_\\',
  '"',
  '\\',
  '💥'.repeat(50),
  'é'.normalize('NFD'),
  '\u202e\u200b\ufeff',
  'ﷺ',
  'x'.repeat(10_000),
  '-1',
  'null',
  'NaN',
  '__proto__',
  'constructor',
  '<script>',
  'a@b.example',
  'a@b.example\r\nbcc: c@d.example',
  'FUZZ-1',
  'acacia-honey',
  '1001',
  'the',
  '$1',
  '{}',
  '../..',
  '2026-02-30T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '2026-11-28T12:00:00+14:00',
];

/** A text as people send it, or as they should not. */
export function text(random: Random): string {
  if (random.chance(0.6)) return random.pick(TEXTS);
  return Array.from({ length: random.below(12) }, () =>
    String.fromCharCode(random.below(random.chance(0.5) ? 128 : 65_536)),
  ).join('');
}

/** The text without halves of characters, which URLs cannot hold. */
export function wellFormed(given: string): string {
  return Buffer.from(given).toString();
}

/** Bytes of every kind. */
export function bytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));
}

/** Something with a few of its characters changed, dropped, doubled or cut off. */
export function broken(random: Random, given: string): string {
  let result = given;
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const at = random.below(result.length + 1);
    const [before, after] = [result.slice(0, at), result.slice(at)];
    result = random.pick([
      () => before + after.slice(1 + random.below(5)),
      () =>
        before +
        random.pick(['{', '}', '(', ')', '[', ']', '"', '@', '$', ':', '!', '...', '\u0000', '#', '\\']) +
        after,
      () => before + text(random) + after,
      () => before,
      () => before + after.slice(0, random.below(30)) + after,
    ])();
  }
  return result;
}

/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 to just below `most`. */
  below(most: number): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  oneOf<T>(items: readonly T[]): T;
}

/** @param seed 32 bits */
export function createRandom(seed: number): Random {
  let state = seed;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => next() * most;
  return {
    below,
    between: (least, most) => least + Math.floor(below(most - least + 1)),
    oneOf: (items) => {
      const item = items[Math.floor(below(items.length))];
      if (item === undefined) throw new Error('there is nothing to choose from');
      return item;
    },
  };
}

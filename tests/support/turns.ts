/**
 * Counts how often the event loop turns while something is under way: each turn is one in which others could run. What
 * waits for a timer or for an answer lets it turn many times, however fast the machine is.
 */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next = setImmediate(turn);
  function turn(): void {
    turns += 1;
    next = setImmediate(turn);
  }
  try {
    await work();
    return turns;
  } finally {
    clearImmediate(next);
  }
}

import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks until the answer is truthy, and gives it; for what comes by itself and tells nobody.
 * @param what in words, for the failure
 */
export async function until<T>(what: string, ask: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`within ${withinMs} ms it did not happen that ${what}`);
    await delay(5);
  }
}

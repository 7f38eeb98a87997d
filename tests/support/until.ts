import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from './patience.ts';

/**
 * Asks until the answer is truthy, and gives it; for what comes by itself and tells nobody.
 * @param what in words, for the failure
 * @param withinMs when to give up, for what takes longer than anything else; it is not for saying how soon
 */
export async function until<T>(what: string, ask: () => T | Promise<T>, withinMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`within ${withinMs} ms it did not happen that ${what}`);
    await delay(5);
  }
}

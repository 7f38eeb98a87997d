import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from './patience.ts';

/**
 * Asks until the answer is truthy, and returns it. For changes that take place by themselves and are not reported.
 * @param what in words, for the failure
 * @param withinMs when to give up, for what takes longer than anything else; it is not for saying how soon
 */
export async function until<T>(what: string, ask: () => T | Promise<T>, withinMs = PATIENCE_MS): Promise<T> {
  const began = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    const waited = performance.now() - began;
    if (waited > withinMs) throw new Error(`within ${withinMs} ms it did not happen that ${what}`);
    // Less often the longer it takes: what is asked, such as a database or a browser, would have little time for anything else.
    await delay(Math.min(100, 5 + waited / 10));
  }
}

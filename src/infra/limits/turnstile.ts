/** Lets a number of callers in at a time; the others wait in the order in which they came. */
export interface Turnstile {
  /**
   * Runs `work` once there is room.
   * @throws TurnstileTimeout where none came free in time; `work` was not begun
   */
  pass<T>(work: () => Promise<T>): Promise<T>;
  /** Callers that wait. */
  waiting(): number;
}

export class TurnstileTimeout extends Error {}

/**
 * Makes one.
 * @param room callers at a time
 * @param withinMs how long a caller waits at most
 */
export function createTurnstile({ room, withinMs }: { room: number; withinMs: number }): Turnstile {
  let inside = 0;
  const queue = new Set<() => void>();

  async function enter(): Promise<void> {
    if (inside < room) {
      inside += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        queue.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.delete(begin);
        reject(new TurnstileTimeout(`no turn within ${withinMs} ms`));
      }, withinMs);
      queue.add(begin);
    });
  }

  function leave(): void {
    // The place goes from hand to hand: a caller that comes now is not before one that waits.
    const [next] = queue;
    if (next === undefined) inside -= 1;
    else next();
  }

  return {
    async pass(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
    waiting: () => queue.size,
  };
}

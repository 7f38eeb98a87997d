/** Counting semaphores of this process, one for each key. */
export interface KeyedSemaphore {
  /** Acquires a permit of the key. Returns false if all of them are taken. */
  take(key: string): boolean;
  /** Releases a permit that was acquired. */
  leave(key: string): void;
}

/**
 * Creates a semaphore for each key. Keys without acquired permits take no memory.
 * @param most permits of each key
 */
export function createKeyedSemaphore(most: number): KeyedSemaphore {
  const counts = new Map<string, number>();
  return {
    take(key) {
      const taken = counts.get(key) ?? 0;
      if (taken >= most) return false;
      counts.set(key, taken + 1);
      return true;
    },
    leave(key) {
      const left = (counts.get(key) ?? 0) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
  };
}

/** A permit, or a place in the queue for one. */
export interface Turn {
  /** Resolves when the permit is acquired, or when the place was given up. */
  come: Promise<void>;
  /** Releases the permit or gives up the place. Further calls have no effect. */
  leave(): void;
}

/** A semaphore for each key, with a first-in, first-out queue of those that wait for a permit. */
export interface KeyedQueue {
  /** Enters the queue of the key. Returns null if the queue is full. */
  enter(key: string): Turn | null;
}

/**
 * Creates a queue for each key.
 * @param limits.atATime permits of each key
 * @param limits.waiting places in the queue of each key
 */
export function createKeyedQueue({ atATime, waiting }: { atATime: number; waiting: number }): KeyedQueue {
  const served = createKeyedSemaphore(atATime);
  /** In the order in which they came. */
  const lines = new Map<string, Set<() => void>>();

  function makeWay(key: string): void {
    const line = lines.get(key);
    const [next] = line ?? [];
    // The place passes directly to the next waiting caller, so that a new caller cannot overtake it.
    if (next === undefined) served.leave(key);
    else next();
  }

  function remove(key: string, waiter: () => void): boolean {
    const line = lines.get(key);
    const waited = line?.delete(waiter) ?? false;
    if (line?.size === 0) lines.delete(key);
    return waited;
  }

  function wait(key: string): Turn {
    let begin: () => void = () => {};
    const come = new Promise<void>((resolve) => (begin = resolve));
    let left = false;
    const call = () => {
      remove(key, call);
      begin();
    };
    const line = lines.get(key) ?? new Set();
    lines.set(key, line.add(call));
    return {
      come,
      leave() {
        if (left) return;
        left = true;
        if (remove(key, call)) begin();
        else makeWay(key);
      },
    };
  }

  return {
    enter(key) {
      if (!served.take(key)) return (lines.get(key)?.size ?? 0) >= waiting ? null : wait(key);
      let left = false;
      return {
        come: Promise.resolve(),
        leave() {
          if (!left) makeWay(key);
          left = true;
        },
      };
    },
  };
}

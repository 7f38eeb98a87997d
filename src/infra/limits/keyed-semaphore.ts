/** How many there may be of something at the same time for one key, in this process. */
export interface Seats {
  /** Takes one; false where all are taken. */
  take(key: string): boolean;
  /** Gives one back that was taken. */
  leave(key: string): void;
}

/** Makes them. Nothing is kept for a key without any. */
export function createSeats(most: number): Seats {
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

/** A place in a line. */
export interface Turn {
  /** Resolves when it is one's turn, or when the place was given up. */
  come: Promise<void>;
  /** Gives the place up, or makes way for the next one. Once is enough; more does no harm. */
  leave(): void;
}

/** As seats, but who finds none waits in line. */
export interface Lines {
  /** Null where the line is full. */
  enter(key: string): Turn | null;
}

/**
 * Makes them.
 * @param limits.atATime who are served at the same time, for one key
 * @param limits.waiting how many more may wait
 */
export function createLines({ atATime, waiting }: { atATime: number; waiting: number }): Lines {
  const served = createSeats(atATime);
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

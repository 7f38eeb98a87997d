/** When a cart is due to expire: by the database's clock, and how long that is from now. */
export interface CartDue {
  at: Date;
  inMs: number;
}

/** A deadline as passed to listeners. */
export function dueAt(at: Date, now: Date): CartDue {
  return { at, inMs: at.getTime() - now.getTime() };
}

/** Seconds that are remembered: more than the longest hold has. */
const MAX_SECONDS = 10_000;

/**
 * Makes one nudge of the deadlines of each second, however many carts they are of.
 * @param nudge has the carts of a second expired when it begins; false where it could not, and is to be asked again
 * @returns a function to call with each deadline right after its commit; it does not block
 */
export function createDueNudges(nudge: (second: number, delayMs: number) => Promise<boolean>): (due: CartDue) => void {
  const enqueued = new Set<number>();
  return ({ at, inMs }) => {
    const ms = at.getTime();
    const second = Math.floor(ms / 1000);
    if (enqueued.has(second)) return;
    enqueued.add(second);
    const [oldest] = enqueued;
    if (enqueued.size > MAX_SECONDS && oldest !== undefined) enqueued.delete(oldest);
    const forget = () => void enqueued.delete(second);
    nudge(second, Math.max(0, inMs - (ms - second * 1000))).then((done) => done || forget(), forget);
  };
}

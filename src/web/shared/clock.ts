/*
 * The server's time. What runs out, runs out by the database's clock; a device may be hours off, and may be set right while the
 * page is open. So the distance is kept to a clock that nobody sets.
 */

let serverMinusMonotonic = Date.now() - performance.now();
/** How far off the estimate may be: half of the round trip it was made by. */
let uncertaintyMs = Infinity;

/** The server's time now, in milliseconds since 1970. The device's clock until the first response. */
export function serverNow(): number {
  return serverMinusMonotonic + performance.now();
}

/**
 * Takes over what an answer says of the server's time.
 * @param serverTime the time at which the server made the answer, ISO 8601
 * @param askedAt, answeredAt when the request went out and the answer came, by `performance.now()`
 */
export function noteServerTime(serverTime: string, askedAt: number, answeredAt: number): void {
  const uncertainty = (answeredAt - askedAt) / 2;
  // Clocks drift apart and computers sleep: an old estimate loses its advantage in time.
  uncertaintyMs += 50;
  if (uncertainty > uncertaintyMs) return;
  uncertaintyMs = uncertainty;
  serverMinusMonotonic = Date.parse(serverTime) - (askedAt + answeredAt) / 2;
}

/** Forgets how good the estimate is: the computer may have slept, in which time some clocks stand still. */
export function distrustClock(): void {
  uncertaintyMs = Infinity;
}

/** How many messages a client may still send: so many at once, and again as many within a minute. */
export class MessageCredit {
  readonly #perMinute: number;
  #left: number;
  /** When `#left` was computed (`performance.now()`). */
  #at = performance.now();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
  }

  /** Takes one. False where there is none left. */
  take(): boolean {
    const now = performance.now();
    const earned = ((now - this.#at) / 60_000) * this.#perMinute;
    this.#left = Math.min(this.#perMinute, this.#left + earned) - 1;
    this.#at = now;
    return this.#left >= 0;
  }
}

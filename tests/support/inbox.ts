import { PATIENCE_MS } from './patience.ts';

/** What arrives, in order, none missed: taken one by one, whether it came before or after it was asked for. */
export class Inbox<T> {
  readonly #arrived: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#arrived.push(item);
    else next(item);
  }

  /** The next one; rejects where none comes in time. */
  take(withinMs = PATIENCE_MS): Promise<T> {
    const item = this.#arrived.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      const deliver = (arrived: T) => {
        clearTimeout(timer);
        resolve(arrived);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(deliver), 1);
        reject(new Error(`nothing came within ${withinMs} ms`));
      }, withinMs);
      this.#waiting.push(deliver);
    });
  }

  /** What has come and was not taken. */
  get left(): readonly T[] {
    return this.#arrived;
  }
}

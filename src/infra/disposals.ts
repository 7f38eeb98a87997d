import type { Logger } from './logger.ts';

/** What was opened, to be closed in the opposite order, each once, whatever becomes of the others. */
export class Disposals {
  readonly #steps: { name: string; step: () => PromiseLike<unknown> }[] = [];
  readonly #logger: Logger;
  #run: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(name: string, step: () => PromiseLike<unknown>): void {
    this.#steps.push({ name, step });
  }

  /** Closes everything; a second call waits for the first. */
  run(): Promise<void> {
    this.#run ??= this.#closeAll();
    return this.#run;
  }

  async #closeAll(): Promise<void> {
    for (const { name, step } of this.#steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        this.#logger.error({ err: error }, `${name} could not be closed`);
      }
    }
  }
}

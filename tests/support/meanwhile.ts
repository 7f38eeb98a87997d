/** Work that goes on beside a test. */
export interface Meanwhile extends AsyncDisposable {
  /** Ends it after the round in progress. Throws what a round threw. */
  stop(): Promise<void>;
}

/**
 * Repeats a step beside the test, until it is stopped or the test is left. A step that fails ends the repetition, and fails the
 * test that stops it: a bare loop would fail the whole run, since nobody awaits it at that moment.
 */
export function meanwhile(step: () => Promise<unknown>): Meanwhile {
  let over = false;
  let stopped = false;
  const fault = (async () => {
    while (!over) await step();
  })().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  async function stop(): Promise<void> {
    over = true;
    const seen = await fault;
    if (stopped) return;
    stopped = true;
    if (seen !== null) throw seen.error;
  }
  return { stop, [Symbol.asyncDispose]: stop };
}

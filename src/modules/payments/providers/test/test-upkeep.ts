import type { Logger } from '../../../../infra/logger.ts';
import type { TestProvider } from './test-provider.types.ts';

const SWEEP_MS = 1000;
const PRUNE_MS = 600_000;

/** Runs what is due at the provider: at once when this process queues a webhook, and each second for other processes. */
export function startTestProvider({ provider, logger }: { provider: TestProvider; logger: Logger }): AsyncDisposable {
  const stop = new AbortController();
  let isWanted = false;
  let running: Promise<void> | null = null;
  let prunedAt = performance.now();

  async function run(): Promise<void> {
    while (isWanted && !stop.signal.aborted) {
      isWanted = false;
      try {
        await provider.runDue(stop.signal);
        if (performance.now() - prunedAt > PRUNE_MS) {
          prunedAt = performance.now();
          await provider.prune();
        }
      } catch (error) {
        if (!stop.signal.aborted) logger.warn({ err: error }, 'the test payment provider failed; retrying');
      }
    }
    running = null;
  }

  function wake(): void {
    isWanted = true;
    running ??= run();
  }

  const timer = setInterval(wake, SWEEP_MS);
  provider.onQueued(wake);
  wake();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      provider.onQueued(() => {});
      stop.abort();
      await running;
    },
  };
}

import type { Logger } from '../infra/logger.ts';
import { within } from '../infra/within.ts';

const PROBE_TIMEOUT_MS = 1000;

/** Asks something that the shop cannot work without; rejects where it does not answer. */
export type Probe = () => Promise<unknown>;

/** Whether the shop can do its work. */
export interface Health {
  /** What is not ready, by name; empty where all is. */
  notReady(): Promise<string[]>;
  /** What is away without which the shop goes on, by name with the reason in a few words; empty where all is well. */
  degraded(): Promise<Record<string, string>>;
  /** From now on the shop is ready as far as these are, and degraded where one of the `dispensable` ones is away. */
  opened(probes: Readonly<Record<string, Probe>>, dispensable?: Readonly<Record<string, Probe>>): void;
  /** It will not be ready again. */
  stopping(): void;
}

/** Makes the health of a shop that is still starting. */
export function createHealth({ logger }: { logger: Logger }): Health {
  let phase: 'starting' | 'open' | 'stopping' = 'starting';
  let probes: [string, Probe][] = [];
  let dispensable: [string, Probe][] = [];
  let looking: Promise<string[]> | undefined;
  let lookingBeyond: Promise<Record<string, string>> | undefined;

  async function look(): Promise<string[]> {
    const failed = await Promise.all(
      probes.map(async ([name, probe]) => {
        try {
          await within(PROBE_TIMEOUT_MS, probe());
          return [];
        } catch (error) {
          logger.warn({ err: error, probe: name }, 'not ready');
          return [name];
        }
      }),
    );
    return failed.flat();
  }

  /** What is away is logged by who would use it. */
  async function lookBeyond(): Promise<Record<string, string>> {
    const away = await Promise.all(
      dispensable.map(async ([name, probe]): Promise<[string, string][]> => {
        try {
          await within(PROBE_TIMEOUT_MS, probe());
          return [];
        } catch (error) {
          return [[name, (error as Error).message]];
        }
      }),
    );
    return Object.fromEntries(away.flat());
  }

  return {
    async degraded() {
      lookingBeyond ??= lookBeyond().finally(() => {
        lookingBeyond = undefined;
      });
      return lookingBeyond;
    },
    async notReady() {
      if (phase !== 'open') return [phase];
      // Those who ask at the same time share one look: a database in trouble is not to be asked more often.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    opened(given, givenBeyond = {}) {
      probes = Object.entries(given);
      dispensable = Object.entries(givenBeyond);
      if (phase === 'starting') phase = 'open';
    },
    stopping() {
      phase = 'stopping';
    },
  };
}

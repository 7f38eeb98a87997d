import { modules } from './modules.ts';
import type { Nudges } from './module.ts';

/** Nudges that go nowhere until they are connected, since the job queue is made after the services. */
export function createNudges(): Nudges & { connect(target: Nudges): void } {
  let target: Nudges | null = null;
  const forward = (name: keyof Nudges) => [
    name,
    (...args: unknown[]) => (target?.[name] as ((...args: unknown[]) => void) | undefined)?.(...args),
  ];
  const names = modules.flatMap((module) => module.nudges ?? []);
  const nudges = Object.fromEntries(names.map(forward)) as unknown as Nudges;
  return {
    ...nudges,
    connect(to) {
      target = to;
    },
  };
}

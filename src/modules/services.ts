import type { Consumer } from '../events/consumer.ts';
import type { EventLog } from '../events/event-log.ts';
import { modules } from './modules.ts';
import { createNudges } from './nudges.ts';
import type { ServiceDeps, ShopServices } from './module.ts';

/**
 * Makes the services of all modules.
 * @param deps.nudges called with rows that wait for a job; they go nowhere by default
 * @param deps.late filled in by the caller once its members exist; nothing by default
 * @param deps.overrides for tests
 */
export function createServices({
  nudges = createNudges(),
  late = {},
  overrides = {},
  ...deps
}: Omit<ServiceDeps, 'services' | 'nudges' | 'late' | 'overrides'> &
  Partial<Pick<ServiceDeps, 'nudges' | 'late' | 'overrides'>>): ShopServices {
  const services = {} as ShopServices;
  for (const module of modules) {
    Object.assign(services, module.services?.({ ...deps, nudges, late, overrides, services }));
  }
  return services;
}

/** Makes the durable consumers of all modules. */
export function createConsumers(deps: { eventLog: EventLog; services: ShopServices }): Consumer[] {
  return modules.flatMap((module) => module.consumers?.(deps) ?? []);
}

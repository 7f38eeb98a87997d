import { modules } from './modules.ts';
import type { Note, ShopServices } from './module.ts';

/** Types of the events about changes to what answers in memory have read. */
export function memoryEvents(): Set<string> {
  return new Set(modules.flatMap(({ memory }) => memory?.events ?? []));
}

/** The services from which answers in memory are made. Each notes what it reads. */
export function notingServices(services: ShopServices, note: Note): Partial<ShopServices> {
  return Object.assign({}, ...modules.map(({ memory }) => memory?.services(services, note))) as Partial<ShopServices>;
}

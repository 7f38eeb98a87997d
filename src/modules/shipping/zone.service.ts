import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import type { Database } from '../../infra/postgres/database.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { refuseInput } from '../invalid-input.ts';
import { createTermsChange } from '../pricing/terms-change.service.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import type { ZoneFields } from './shipping.types.ts';
import * as repository from './zone.repository.ts';
import type { ShippingZone } from './zone.types.ts';

export type { ShippingZone } from './zone.types.ts';
export { zoneOf } from './zone.types.ts';

/** The most zones of a shop. */
export const MAX_ZONES = 250;

/** Name of the lock under which zones and methods change, one at a time: their rules span all zones. */
export const SHIPPING_LOCK = 'shipping zones';

/** The zones of the shop. Each change is a transaction with its entry in the record of staff and its event. */
export interface ZoneService {
  /** All zones, by name. */
  list(): Promise<ShippingZone[]>;
  byIds(ids: readonly string[]): Promise<ShippingZone[]>;
  /** A new home zone takes the place of the former one. @throws Refusal: CONFLICT, LIMIT_EXCEEDED, INVALID_INPUT */
  create(actorId: string | null, zone: ZoneFields): Promise<ShippingZone>;
  /** Fields that are left out stay as they are. @throws Refusal: NOT_FOUND, EDIT_CONFLICT, CONFLICT, INVALID_INPUT */
  update(actorId: string, id: string, changes: Partial<ZoneFields>, expected?: ExpectedVersion): Promise<ShippingZone>;
  /** Deletes the zone with its methods and tax rates. @throws Refusal: NOT_FOUND */
  delete(actorId: string, id: string): Promise<void>;
}

function recorded(zone: ZoneFields): object {
  const text = (list: readonly string[]) => (list.length === 0 ? null : list.join(', '));
  return {
    name: zone.name,
    countries: text(zone.countries),
    regions: text(zone.regions),
    postalPrefixes: text(zone.postalPrefixes),
    isRestOfWorld: zone.isRest ? 'true' : null,
    isHome: zone.isHome ? 'true' : null,
  };
}

/** Refuses a zone that covers nothing, or of which another zone covers a part in the same words. */
function assertDistinct(id: string, zone: ZoneFields, zones: readonly ShippingZone[]): void {
  const { name, countries, regions, postalPrefixes, isRest, isHome } = zone;
  if (!isRest && !isHome && countries.length + regions.length + postalPrefixes.length === 0) {
    refuseInput('REQUIRED', 'A zone needs countries, regions or postal prefixes, or is the rest of the world.', [
      'countries',
    ]);
  }
  for (const other of zones) {
    if (other.id === id) continue;
    if (other.name === name) refuse('CONFLICT', 'Another zone has this name already.', ['name']);
    if (isRest && other.isRest) {
      refuse('CONFLICT', `The zone "${other.name}" is the rest of the world already.`, ['isRestOfWorld']);
    }
    for (const field of ['countries', 'regions', 'postalPrefixes'] as const) {
      const both = zone[field].find((place) => other[field].includes(place));
      if (both !== undefined) refuse('CONFLICT', `${both} belongs to the zone "${other.name}" already.`, [field]);
    }
  }
}

/** Wires the zones to a database. */
export function createZoneService({
  db,
  staff,
  eventLog,
}: {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
}): ZoneService {
  async function find(tx: Parameters<typeof repository.findZones>[0], id: string): Promise<ShippingZone> {
    const zone = (await repository.findZones(tx)).find((one) => one.id === id);
    return zone ?? refuse('NOT_FOUND', 'Shipping zone not found.', ['id']);
  }
  const change = createTermsChange<'ShippingZone'>({ db, staff, eventLog }, { lock: SHIPPING_LOCK, what: 'SHIPPING' });
  const type = 'ShippingZone';

  return {
    list: () => repository.findZones(db),
    byIds: async (ids) => (await repository.findZones(db)).filter(({ id }) => ids.includes(id)),

    create: (actorId, zone) =>
      change({ actorId, kind: 'SHIPPING_ZONE_CREATED', type }, async (tx) => {
        const zones = await repository.findZones(tx);
        if (zones.length >= MAX_ZONES) {
          const message = `A shop can have at most ${MAX_ZONES} shipping zones.`;
          const requested = zones.length + 1;
          throw new Refusal(new LimitExceededError({ message, path: null, limit: MAX_ZONES, requested }));
        }
        const id = uuid();
        assertDistinct(id, zone, zones);
        return {
          id,
          before: null,
          after: recorded(zone),
          async write(at) {
            if (zone.isHome) await repository.clearOtherHome(tx, at, id);
            await repository.insertZone(tx, at, id, zone);
          },
          result: () => find(tx, id),
        };
      }),

    update: (actorId, id, given, expected = null) =>
      change({ actorId, kind: 'SHIPPING_ZONE_UPDATED', type }, async (tx) => {
        const zones = await repository.findZones(tx);
        const before = await find(tx, id);
        assertVersion({ type, id }, expected, before.updatedAt);
        const after = { ...before, ...given };
        return {
          id,
          before: recorded(before),
          after: recorded(after),
          async write(at) {
            assertDistinct(id, after, zones);
            if (after.isHome) await repository.clearOtherHome(tx, at, id);
            await repository.updateZone(tx, at, id, after);
          },
          result: () => find(tx, id),
        };
      }),

    delete: (actorId, id) =>
      change({ actorId, kind: 'SHIPPING_ZONE_DELETED', type }, async (tx) => ({
        id,
        before: recorded(await find(tx, id)),
        after: null,
        write: () => repository.deleteZone(tx, id),
        result: () => {},
      })),
  };
}

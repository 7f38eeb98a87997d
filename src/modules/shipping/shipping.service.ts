import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { violatedConstraint, type Database, type Queryable } from '../../infra/postgres/database.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { toDecimal } from '../money.ts';
import { createTermsChange } from '../pricing/terms-change.service.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import * as repository from './shipping.repository.ts';
import type { MethodFields, NewShippingRate, ShippingMethod, ShippingRate } from './shipping.types.ts';
import { findZones } from './zone.repository.ts';
import { SHIPPING_LOCK } from './zone.service.ts';

export type { MethodFields, ShippingMethod, ShippingRate } from './shipping.types.ts';

/** The most methods of a zone, and the most rates of a method. */
export const MAX_METHODS = 50;
export const MAX_RATES = 100;

/** The shipping methods of the zones. Each change is a transaction with its entry in the record of staff and its event. */
export interface ShippingService {
  /** The methods among the ids, in any order. */
  methodsByIds(ids: readonly string[]): Promise<ShippingMethod[]>;
  methodsOfZones(zoneIds: readonly string[]): Promise<ShippingMethod[]>;
  ratesOfMethods(methodIds: readonly string[]): Promise<ShippingRate[]>;
  /** @throws Refusal: NOT_FOUND (zone, tax category), LIMIT_EXCEEDED */
  createMethod(actorId: string | null, zoneId: string, method: MethodFields): Promise<ShippingMethod>;
  /** Fields that are left out stay as they are; rates are replaced as a whole. @throws Refusal: NOT_FOUND, EDIT_CONFLICT */
  updateMethod(
    actorId: string,
    id: string,
    changes: Partial<MethodFields>,
    expected?: ExpectedVersion,
  ): Promise<ShippingMethod>;
  /** Carts that chose the method must choose another. @throws Refusal: NOT_FOUND */
  deleteMethod(actorId: string, id: string): Promise<void>;
}

/** A tax category that was deleted meanwhile, or never was. */
function refuseCategory(error: unknown): never {
  if (violatedConstraint(error) !== 'shipping_methods_tax_category_id_fkey') throw error;
  refuse('NOT_FOUND', 'Tax category not found.', ['taxCategoryId']);
}

/** Wires the methods to a database. @param deps.currency of the shop */
export function createShippingService({
  db,
  staff,
  eventLog,
  currency,
}: {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
  currency: string;
}): ShippingService {
  const amount = (minor: bigint) => toDecimal({ minor, currency });

  function recordedRate({ basis, fromValue, toValue, priceMinor }: NewShippingRate): string {
    const bound = (value: bigint) => (basis === 'WEIGHT' ? `${value} g` : amount(value));
    const end = toValue === null ? 'on' : `to ${bound(toValue)}`;
    return `from ${bound(fromValue)} ${end}: ${amount(priceMinor)}`;
  }

  function recorded(method: MethodFields): object {
    const { title, description, deliveryEstimate, taxCategoryId, freeFromMinor, position, rates } = method;
    return {
      title,
      description,
      deliveryEstimate,
      taxCategoryId,
      freeFrom: freeFromMinor === null ? null : amount(freeFromMinor),
      position: String(position),
      rates: rates.length === 0 ? null : rates.map(recordedRate).join('; '),
    };
  }

  async function find(tx: Queryable, id: string): Promise<ShippingMethod & { rates: ShippingRate[] }> {
    const [method] = await repository.findMethodsByIds(tx, [id]);
    if (method === undefined) refuse('NOT_FOUND', 'Shipping method not found.', ['id']);
    return { ...method, rates: await repository.findRatesOfMethods(tx, [id]) };
  }

  const change = createTermsChange<'ShippingMethod'>(
    { db, staff, eventLog },
    { lock: SHIPPING_LOCK, what: 'SHIPPING' },
  );
  const type = 'ShippingMethod';

  return {
    methodsByIds: (ids) => repository.findMethodsByIds(db, ids),
    methodsOfZones: (zoneIds) => repository.findMethodsOfZones(db, zoneIds),
    ratesOfMethods: (methodIds) => repository.findRatesOfMethods(db, methodIds),

    createMethod: (actorId, zoneId, method) =>
      change({ actorId, kind: 'SHIPPING_METHOD_CREATED', type }, async (tx) => {
        if (!(await findZones(tx)).some((zone) => zone.id === zoneId)) {
          refuse('NOT_FOUND', 'Shipping zone not found.', ['zoneId']);
        }
        const { length } = await repository.findMethodsOfZones(tx, [zoneId]);
        if (length >= MAX_METHODS) {
          const message = `A zone can have at most ${MAX_METHODS} shipping methods.`;
          throw new Refusal(new LimitExceededError({ message, path: null, limit: MAX_METHODS, requested: length + 1 }));
        }
        const id = uuid();
        return {
          id,
          before: null,
          after: recorded(method),
          async write(at) {
            await repository.insertMethod(tx, at, { id, zoneId }, method).catch(refuseCategory);
            await repository.replaceRates(tx, id, method.rates);
          },
          result: () => find(tx, id),
        };
      }),

    updateMethod: (actorId, id, given, expected = null) =>
      change({ actorId, kind: 'SHIPPING_METHOD_UPDATED', type }, async (tx) => {
        const before = await find(tx, id);
        assertVersion({ type, id }, expected, before.updatedAt);
        const after = { ...before, ...given };
        return {
          id,
          before: recorded(before),
          after: recorded(after),
          async write(at) {
            await repository.updateMethod(tx, at, id, after).catch(refuseCategory);
            if (given.rates !== undefined) await repository.replaceRates(tx, id, given.rates);
          },
          result: () => find(tx, id),
        };
      }),

    deleteMethod: (actorId, id) =>
      change({ actorId, kind: 'SHIPPING_METHOD_DELETED', type }, async (tx) => ({
        id,
        before: recorded(await find(tx, id)),
        after: null,
        write: () => repository.deleteMethod(tx, id),
        result: () => {},
      })),
  };
}

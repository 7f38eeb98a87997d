import { decodeGlobalID, encodeGlobalID } from '@pothos/plugin-relay';
import { refuseInput } from '../../modules/invalid-input.ts';
import { type InputPath } from '../../modules/user-error.ts';
import { requestError } from '../context/request-error.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Types whose rows have a number instead of a UUID: those of append-only tables. */
const numbered = new Set<string>();
const NUMBER = /^[1-9]\d{0,17}$/;

/** Says that the rows of a type have a number instead of a UUID. */
export function registerNumbered(typename: string): void {
  numbered.add(typename);
}

/** The ID by which clients know a row. */
export { encodeGlobalID as toGlobalId };

/** The type and the row's own id that a global ID names, or null where it is none. */
export function parseGlobalId(globalId: string): { typename: string; id: string } | null {
  if (globalId.length > 200) return null;
  try {
    const parsed = decodeGlobalID(globalId);
    return (numbered.has(parsed.typename) ? NUMBER : UUID).test(parsed.id) ? parsed : null;
  } catch {
    return null;
  }
}

/** The row's id that a global ID of this type names, or null where it is none of this type. */
export function idOf(typename: string, globalId: string): string | null {
  const parsed = parseGlobalId(globalId);
  return parsed?.typename === typename ? parsed.id : null;
}

/** Decodes an ID in a mutation's input. @throws Refusal with the path of an invalid ID */
export function inputId(typename: string, globalId: string, path: InputPath): string {
  return (
    idOf(typename, globalId) ??
    refuseInput('ID_INVALID', `This is not the global ID of an object of type ${typename}.`, path, { type: typename })
  );
}

/** Decodes an ID in an argument of a query or subscription. @throws BAD_REQUEST for an invalid ID */
export function argumentId(typename: string, globalId: string, name: string): string {
  const id = idOf(typename, globalId);
  if (id === null)
    throw requestError('BAD_REQUEST', `\`${name}\` is not the global ID of an object of type ${typename}.`);
  return id;
}

/** What a list of IDs in an argument may hold. */
const MAX_IDS = 100;

/**
 * The rows' ids that a list of IDs names, in a subscription's argument; null where there is no list.
 * @throws BAD_REQUEST where one is not of this type, or where there are more than a hundred
 */
export function argumentIds(
  typename: string,
  globalIds: readonly (string | number)[] | null | undefined,
  name: string,
): Set<string> | null {
  if (globalIds == null) return null;
  if (globalIds.length > MAX_IDS) throw requestError('BAD_REQUEST', `\`${name}\` may have at most ${MAX_IDS} IDs.`);
  return new Set(globalIds.map((id) => argumentId(typename, String(id), name)));
}

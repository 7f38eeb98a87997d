import type { CombinedError } from 'urql';

/** Messages by the field of the input that each is about, such as `title` or `images.0.url`; `''` for those about none. */
export type Faults = Readonly<Record<string, string>>;

export const NO_FAULTS: Faults = {};

/** What a mutation gave: its data, or why there is none. */
export interface Outcome {
  data?: unknown;
  error?: CombinedError | undefined;
}

interface UserError {
  message: string;
  path?: readonly string[] | null;
}

/**
 * Why a mutation changed nothing, by field; empty if it succeeded.
 * @param inside the field of the input that a form fills in, such as `variant`; paths below it are named without it
 */
export function faultsOf({ data, error }: Outcome, inside?: string): Faults {
  if (error !== undefined) {
    return { '': error.graphQLErrors[0]?.message ?? 'The shop did not answer. Try again in a moment.' };
  }
  const payload = Object.values((data ?? {}) as Record<string, { errors?: readonly UserError[] } | null>)[0];
  const faults: Record<string, string> = {};
  for (const { message, path } of payload?.errors ?? []) {
    const steps = path ?? [];
    const field = (steps[0] === inside ? steps.slice(1) : steps).join('.');
    faults[field] ??= message;
  }
  return faults;
}

/** The messages that no field of a form shows: those about other fields, and about none. */
export function faultsBeside(faults: Faults, shown: (field: string) => boolean): string[] {
  return Object.entries(faults).flatMap(([field, message]) => (field !== '' && shown(field) ? [] : [message]));
}

/** The message about a field, or about an entry of the list that it holds. */
export function faultAt(faults: Faults, name: string): string | undefined {
  return Object.entries(faults).find(([field]) => field === name || field.startsWith(`${name}.`))?.[1];
}

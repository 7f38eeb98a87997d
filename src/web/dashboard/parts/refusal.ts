import type { CombinedError } from 'urql';

/** Why a mutation changed nothing, in words for people; null if it succeeded. */
export function refusalOf({ data, error }: { data?: unknown; error?: CombinedError | undefined }): string | null {
  if (error !== undefined) return error.graphQLErrors[0]?.message ?? 'The shop did not answer. Try again in a moment.';
  const payload = Object.values((data ?? {}) as Record<string, { errors?: { message: string }[] } | null>)[0];
  return payload?.errors?.[0]?.message ?? null;
}

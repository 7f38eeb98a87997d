import type { Queryable, Statement } from '../../../../infra/postgres/database.ts';
import type { ClientData, Snapshot } from '../provider.types.ts';

/** How a call was answered. */
export type Answer =
  | { kind: 'DONE'; snapshot: Snapshot; client: ClientData | null }
  | { kind: 'REFUSED'; reason: string; code: string | null };

const claim: Statement = {
  name: 'test_provider_key_claim',
  text: `INSERT INTO test_provider_keys (key, request, created_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key`,
};
const read: Statement = {
  name: 'test_provider_key',
  text: 'SELECT request, answer FROM test_provider_keys WHERE key = $1',
};

/**
 * Takes an idempotency key for the transaction. A call with the same key that is in progress is waited for.
 * @returns null if the key is new; otherwise what was asked and answered with it
 */
export async function claimKey(
  tx: Queryable,
  { key, request }: { key: string; request: string },
  at: Date,
): Promise<{ request: string; answer: Answer } | null> {
  if ((await tx.query(claim, [key, request, at])).length > 0) return null;
  const [row] = await tx.query<{ request: string; answer: unknown }>(read, [key]);
  if (row === undefined) throw new Error(`the key ${key} was deleted while it was read`);
  return { request: row.request, answer: revive(row.answer) };
}

const remember: Statement = {
  name: 'test_provider_key_answer',
  text: 'UPDATE test_provider_keys SET answer = $2 WHERE key = $1',
};

/** Keeps the answer of a key. */
export async function rememberAnswer(tx: Queryable, key: string, answer: Answer): Promise<void> {
  const text = JSON.stringify(answer, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  await tx.query(remember, [key, text]);
}

/** The inverse of what JSON made of amounts and times. */
function revive(stored: unknown): Answer {
  return JSON.parse(JSON.stringify(stored), (name, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (name.endsWith('Minor')) return BigInt(value);
    return name === 'lapsesAt' ? new Date(value) : value;
  }) as Answer;
}

/** Forgets keys after `hours`. */
export async function forgetKeys(source: Queryable, hours: number): Promise<void> {
  await source.query(
    {
      name: 'test_provider_keys_forget',
      text: `DELETE FROM test_provider_keys WHERE key IN (
               SELECT key FROM test_provider_keys WHERE created_at < (SELECT clock_timestamp() - make_interval(hours => $1))
                ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
    },
    [hours],
  );
}

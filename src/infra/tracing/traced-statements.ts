import type pg from 'pg';
import type { Tracer } from './tracer.ts';

/** The setting by which columns `traceparent` take the trace of the transaction that writes the row. */
const SETTING = 'vitrine.traceparent';

/** Sends a statement as a span of the current trace. Its text has placeholders, and values are left out. */
export function traced<T>(
  tracer: Tracer | null,
  { name, text }: { name?: string | undefined; text: string },
  send: () => T,
): T {
  if (tracer === null) return send();
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  return tracer.step(name ?? firstWord(text), { kind: 'client', attributes }, send);
}

function firstWord(text: string): string {
  return /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
}

/** The pool, with statements that are sent outside of transactions traced; for Prisma, which sends its own. */
export function tracedPool(tracer: Tracer | null, pool: pg.Pool): pg.Pool {
  if (tracer === null) return pool;
  const query = (...given: unknown[]): unknown => {
    const [first] = given;
    const text = typeof first === 'string' ? first : ((first as { text?: string } | null)?.text ?? '');
    return traced(tracer, { text }, () => (pool.query as (...args: unknown[]) => unknown).apply(pool, given));
  };
  return Object.create(pool, { query: { value: query } }) as pg.Pool;
}

/** How a transaction begins within the current trace: rows that it writes remember the trace. Costs no round trip. */
export function beginTraced(tracer: Tracer | null, begin: string): string {
  const traceparent = tracer?.traceparent() ?? null;
  // Hexadecimal digits and hyphens: see `Tracer.traceparent`.
  return traceparent === null ? begin : `${begin}; SET LOCAL ${SETTING} = '${traceparent}'`;
}

/** Makes a trace that of the rows which the transaction writes from now on; an empty text: of none. */
export const continueTrace = { name: 'continue_trace', text: `SELECT set_config('${SETTING}', $1, true)` };

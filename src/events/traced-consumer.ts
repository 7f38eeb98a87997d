import type { Transaction } from '../infra/postgres/database.ts';
import { continueTrace } from '../infra/tracing/traced-statements.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { Consumer } from './consumer.ts';
import type { StoredEvent } from './event.ts';

/** Handles an event within the trace of the change that caused it. */
export function handleTraced(
  { consumer, tracer }: { consumer: Consumer; tracer: Tracer | null },
  tx: Transaction,
  event: StoredEvent,
): ReturnType<Consumer['handle']> {
  if (tracer === null) return consumer.handle(tx, event);
  const { traceparent = null, seq, type } = event;
  const work = async () => {
    // Events of a batch share a transaction and not a trace.
    await tx.query(continueTrace, [tracer.traceparent() ?? '']);
    return consumer.handle(tx, event);
  };
  if (traceparent === null) return work();
  const attributes = { 'vitrine.event.type': type, 'vitrine.event.seq': seq };
  return tracer.run(`consumer ${consumer.name}`, { kind: 'consumer', attributes, parent: traceparent }, work);
}

import type { z } from 'zod';

/** A committed event, numbered by the relay. */
export interface StoredEvent {
  /** Its place in the one order of events; contiguous. */
  seq: number;
  type: string;
  /** ID of what it is about: a variant, a cart, an order. */
  subjectId: string;
  payload: unknown;
  occurredAt: Date;
  /** Trace of the change, for consumers; null or absent if the change was not traced. */
  traceparent?: string | null;
}

/** A kind of event: its name in the log and what its payload holds. */
export interface EventType<Payload> {
  type: string;
  schema: z.ZodType<Payload>;
  /** The event's payload where it is of this type, else null. Parsed once per event, however many ask. */
  read(event: StoredEvent): Payload | null;
  /** An event of this type, ready to be appended to the log. */
  of(subjectId: string, payload: Payload): NewEvent;
}

/** An event that is still to be written. */
export interface NewEvent {
  type: string;
  subjectId: string;
  payload: object;
}

/**
 * Declares a kind of event. Payloads hold ids and numbers, no personal data and no secrets.
 * @param type in the past tense, snake_case, as it stands in the log
 */
export function defineEvent<Payload extends object>(type: string, schema: z.ZodType<Payload>): EventType<Payload> {
  const parsed = new WeakMap<StoredEvent, Payload>();
  return {
    type,
    schema,
    of: (subjectId, payload) => ({ type, subjectId, payload: schema.parse(payload) }),
    read(event) {
      if (event.type !== type) return null;
      let payload = parsed.get(event);
      if (payload === undefined) {
        payload = schema.parse(event.payload);
        parsed.set(event, payload);
      }
      return payload;
    },
  };
}

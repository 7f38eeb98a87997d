import { z } from 'zod';
import type { EventBatch } from './bus.ts';

/*
 * A batch as it goes from process to process, in JSON. Two versions of the shop may be running at once: fields may be added,
 * and are skipped by versions that do not know them. None may change its meaning.
 */

const message = z.object({
  /** ID of the sending bus, which has already delivered the batch to its own listeners. */
  from: z.string().optional(),
  epoch: z.string(),
  events: z.array(
    z.object({
      seq: z.int().positive(),
      type: z.string(),
      subjectId: z.string(),
      payload: z.unknown(),
      occurredAt: z.iso.datetime().transform((text) => new Date(text)),
    }),
  ),
});

/** What is sent: dates become texts. */
export function toMessage(from: string, { epoch, events }: EventBatch): object {
  return { from, epoch, events };
}

/** The batch of a message and who sent it; null where it is none. */
export function readMessage(received: unknown): (EventBatch & { from?: string | undefined }) | null {
  return message.safeParse(received).data ?? null;
}

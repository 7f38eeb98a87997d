import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { CartService } from './cart.service.ts';

const payload = z.object({
  /** Since 1970, by the database's clock. */
  second: z.int().positive(),
});

export type CartExpiryPayload = z.infer<typeof payload>;

/** Deadlines that are closer together are served together. */
const STEP_MS = 50;
/** A clock that is ahead has us here too early, but not for long at a time. */
const LONGEST_MS = 1000;
/** For carts that other transactions have locked: those expire them, or the next sweep does. */
const PATIENCE = 20;

/** The job that expires the carts of one second: thousands of them share it. What it finds is decided by rows alone. */
export function createCartExpiryJob(cart: Pick<CartService, 'expireOverdue' | 'nextDeadline'>): Job<CartExpiryPayload> {
  return defineJob({
    name: 'cart-expiry',
    ownTrace: true,
    schema: payload,
    // A job that runs through its second must not keep the next one waiting.
    concurrency: 4,
    async run({ second }, { signal, logger }) {
      const end = new Date((second + 1) * 1000);
      let total = 0;
      for (let idle = 0; idle < PATIENCE;) {
        signal.throwIfAborted();
        const { carts } = await cart.expireOverdue(signal);
        total += carts;
        const ms = await cart.nextDeadline(end);
        if (ms === null) break;
        idle = carts === 0 && ms <= 0 ? idle + 1 : 0;
        const wait = Math.min(Math.max(ms, STEP_MS), LONGEST_MS);
        await delay(wait, undefined, { signal }).catch(() => {});
      }
      if (total > 0) logger.info({ carts: total }, 'overdue carts expired');
    },
  });
}

/** The id of a second's job. */
export function cartExpiryId(second: number): string {
  return `cart-expiry-${second}`;
}

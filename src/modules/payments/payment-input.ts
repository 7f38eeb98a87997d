import { z } from 'zod';
import { amountInput, optionalNote, plainText } from '../input.ts';

/** What `paymentStart` takes besides what a checkout takes. */
export const startInput = z.object({ provider: plainText(50), returnUrl: plainText(2000).nullish() });

/** A key of `paymentCapture`. */
export const keyInput = z.object({ idempotencyKey: plainText(255) });

/** An amount of `paymentCapture`, in the shop's currency. */
export const captureInput = (currency: string) => z.object({ amount: amountInput(currency).nullish() });

/** What `orderRefund` takes, in the shop's currency. */
export const refundInput = (currency: string) =>
  z.object({
    idempotencyKey: plainText(255),
    reason: optionalNote,
    shipping: amountInput(currency).nullish(),
    amount: amountInput(currency).nullish(),
    lines: z
      .array(z.object({ quantity: z.int().min(1, 'must be at least 1') }))
      .max(100, 'must have at most 100 entries')
      .nullish(),
  });

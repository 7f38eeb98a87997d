import { paidForUnits } from '../pricing/sums.ts';
import { toDecimal } from '../money.ts';
import { refuseInput } from '../invalid-input.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import type { RefundableLine } from './refund.repository.ts';

/** What a refund is asked for: an amount, or lines, or shipping, or lines and shipping. Amounts are minor units. */
export interface RefundRequest {
  lines: readonly { lineId: string; quantity: number; restock: boolean }[];
  shippingMinor: bigint | null;
  amountMinor: bigint | null;
}

/** What is to be refunded. */
export interface RefundPlan {
  amountMinor: bigint;
  shippingMinor: bigint;
  lines: readonly { lineId: string; variantId: string; quantity: number; amountMinor: bigint; isRestocked: boolean }[];
}

/**
 * Computes a refund. For some units of a line it is the share of what was paid for the line, rounded half up, less what earlier units
 * were refunded: so the last unit brings the exact rest.
 * @param left what was paid and has not been refunded: of the shipping, and in all; with its currency, ISO 4217
 * @throws Refusal: INVALID_INPUT, NOT_FOUND, LIMIT_EXCEEDED
 */
export function planRefund(
  request: RefundRequest,
  lines: readonly RefundableLine[],
  left: { shippingMinor: bigint; amountMinor: bigint; currency: string },
): RefundPlan {
  const inUnits = (minor: bigint) => toDecimal({ minor, currency: left.currency });
  const isByLines = request.lines.length > 0 || request.shippingMinor !== null;
  if (isByLines === (request.amountMinor !== null)) {
    const fields = 'lines+shipping,amount';
    refuseInput('EITHER_OR', 'Specify either amount, or lines and shipping.', null, { fields });
  }
  const planned = request.lines.map((wanted, index) => planLine(wanted, lines, ['lines', String(index)]));
  const shippingMinor = request.shippingMinor ?? 0n;
  if (shippingMinor > left.shippingMinor) {
    refuseInput('TOO_LARGE', 'More than is left of the shipping.', ['shipping'], { max: inUnits(left.shippingMinor) });
  }
  const amountMinor = request.amountMinor ?? planned.reduce((sum, line) => sum + line.amountMinor, shippingMinor);
  if (amountMinor === 0n) refuseInput('ZERO', 'There is nothing to refund.', null);
  if (amountMinor > left.amountMinor) {
    const message = 'More than was paid and has not been refunded yet.';
    refuseInput('TOO_LARGE', message, request.amountMinor === null ? null : ['amount'], {
      max: inUnits(left.amountMinor),
    });
  }
  return { amountMinor, shippingMinor, lines: planned };
}

function planLine(
  { lineId, quantity, restock }: RefundRequest['lines'][number],
  lines: readonly RefundableLine[],
  path: readonly string[],
): RefundPlan['lines'][number] {
  const line = lines.find((candidate) => candidate.lineId === lineId);
  if (line === undefined) return refuse('NOT_FOUND', 'The order has no such line.', [...path, 'lineId']);
  const left = line.quantity - line.refundedQuantity;
  if (quantity > left) {
    const message = `Only ${left} of ${line.quantity} units can still be refunded.`;
    throw new Refusal(
      new LimitExceededError({ message, path: [...path, 'quantity'], limit: left, requested: quantity }),
    );
  }
  // Units that came back with a refund that failed are in stock all the same.
  if (restock && quantity > line.quantity - line.restockedQuantity) {
    refuse('CONFLICT', 'The units have returned to stock already. Refund them without restocking.', [
      ...path,
      'restock',
    ]);
  }
  const until = line.refundedQuantity + quantity;
  // Refunds that failed in between can leave the earlier ones a minor unit above their share.
  const share = paidForUnits(line.paidMinor, until, line.quantity) - line.refundedMinor;
  const amountMinor = share > 0n ? share : 0n;
  return { lineId, variantId: line.variantId, quantity, amountMinor, isRestocked: restock };
}

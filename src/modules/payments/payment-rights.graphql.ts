import type { Context } from '../../graphql/context/context.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import type { CartOwner } from '../cart/cart.service.ts';
import type { PaymentOwners, PaymentRow } from './payment.service.ts';

/** Whether a cart was the viewer's when its payment began: then the viewer may pay. */
export function isPayer(owners: PaymentOwners | null, viewer: CartOwner | null): boolean {
  if (owners === null || viewer === null) return false;
  return 'userId' in viewer ? owners.userId === viewer.userId : owners.guestId === viewer.guestId;
}

/** Whether the viewer may see a payment: by its cart, or by its order, which may have joined an account. */
export function mayFollow(owners: PaymentOwners | null, viewer: CartOwner | null): boolean {
  if (isPayer(owners, viewer)) return true;
  if (owners === null || viewer === null) return false;
  return 'userId' in viewer ? owners.orderUserId === viewer.userId : owners.orderGuestId === viewer.guestId;
}

/** Whether the viewer may see a payment by its ID. */
export async function maySee(ctx: Context, paymentId: string): Promise<boolean> {
  return isStaff(ctx.viewer) || mayFollow(await ctx.loaders.paymentOwners.load(paymentId), ownerOf(ctx.viewer));
}

/** Reads a payment for a payload. Payments change with every step of an operation, so nothing that was read before is used. */
export async function readPayment(ctx: Context, paymentId: string): Promise<PaymentRow | null> {
  const [payment] = await ctx.services.payments.byIds([paymentId]);
  return payment ?? null;
}

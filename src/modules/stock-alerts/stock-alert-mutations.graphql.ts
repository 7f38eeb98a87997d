import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { loadKnown, renewLoaders } from '../../graphql/context/loaders.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { emailAddress, parseInput } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import { refuse } from '../user-error.ts';
import { StockAlertRef } from './stock-alert.graphql.ts';
import type { StockAlert } from './stock-alert.service.ts';
import { alertCancelLimits, alertLimits } from './stock-alert.limits.graphql.ts';

const createInput = z.object({ email: emailAddress.nullish() });

function alertPayload(name: string, description: string) {
  const ref = payloadType<{ stockAlert: StockAlert }>(name);
  builder.objectField(ref, 'stockAlert', (t) =>
    t.field({ type: StockAlertRef, nullable: true, description, resolve: (payload) => payload.stockAlert ?? null }),
  );
  return ref;
}

const StockAlertCreateInputRef = builder.inputType('StockAlertCreateInput', {
  description:
    'Input of `stockAlertCreate`. If an alert for the variant and email address exists already, the response ' +
    'is the same as for a new one.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Global ID of the variant, which must be sold out.' }),
    email: t.string({
      description: 'Email address to notify. Required for guests; defaults to the email address of the user.',
    }),
  }),
});

const StockAlertCancelInputRef = builder.inputType('StockAlertCancelInput', {
  description: 'Input of `stockAlertCancel`. Specify either `id` or `token`.',
  fields: (t) => ({
    id: t.id({ description: 'Global ID of an alert that belongs to the current user.' }),
    token: t.string({ description: 'Token from the cancellation link in the email.' }),
  }),
});

async function create(ctx: Context, input: typeof StockAlertCreateInputRef.$inferInput): Promise<StockAlert> {
  const variantId = inputId('ProductVariant', input.variantId, ['variantId']);
  const given = parseInput(createInput, input).email ?? null;
  const { user } = ctx.viewer;
  const owner = user === null ? null : await loadKnown(ctx.loaders.user, user.userId);
  const email = given ?? owner?.email ?? refuseInput('REQUIRED', 'email is required for guests.', ['email']);
  return ctx.services.stockAlerts.create({ variantId, email, owner });
}

async function cancel(ctx: Context, input: typeof StockAlertCancelInputRef.$inferInput): Promise<StockAlert> {
  const { id, token } = input;
  const { stockAlerts } = ctx.services;
  if (id != null && token == null) {
    const alertId = inputId('StockAlert', id, ['id']);
    const userId = ctx.viewer.user?.userId ?? refuse('NOT_FOUND', 'Stock alert not found.', ['id']);
    return stockAlerts.cancelOwn(alertId, userId);
  }
  if (token != null && id == null) return stockAlerts.cancelByToken(token);
  return refuseInput('EITHER_OR', 'Specify either id or token.', null, { fields: 'id,token' });
}

/** What the operation read before is not to be shown again. */
async function renewed(ctx: Context, command: () => Promise<StockAlert>): Promise<{ stockAlert: StockAlert }> {
  const stockAlert = await command();
  renewLoaders(ctx);
  return { stockAlert };
}

builder.mutationFields((t) => ({
  stockAlertCreate: t.field({
    type: alertPayload(
      'StockAlertCreatePayload',
      'Alert for the variant and email address. Null if the mutation failed.',
    ),
    nullable: true,
    extensions: alertLimits,
    description:
      'Requests an email to be sent when a sold-out variant becomes available again. Open to guests and users. ' +
      'There is at most one waiting alert per variant and email address, and at most 20 waiting alerts per email ' +
      'address. The response does not reveal whether an alert existed before.',
    args: {
      input: t.arg({ type: StockAlertCreateInputRef, required: true, description: 'Variant and email address.' }),
    },
    resolve: (_root, { input }, ctx) => orErrors(() => renewed(ctx, () => create(ctx, input))),
  }),

  stockAlertCancel: t.field({
    type: alertPayload('StockAlertCancelPayload', 'Alert after the mutation. Null if the mutation failed.'),
    nullable: true,
    extensions: alertCancelLimits,
    description:
      'Cancels a stock alert. An alert that is already cancelled, or whose email was already sent, is returned ' +
      'unchanged.',
    args: { input: t.arg({ type: StockAlertCancelInputRef, required: true, description: 'Alert to cancel.' }) },
    resolve: (_root, { input }, ctx) => orErrors(() => renewed(ctx, () => cancel(ctx, input))),
  }),
}));

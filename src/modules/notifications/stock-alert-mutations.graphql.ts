import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { inputId } from '../../graphql/global-id.ts';
import { loadKnown, renewLoaders } from '../../graphql/loaders.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { emailAddress, parseInput } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import { refuse } from '../user-error.ts';
import { StockAlertRef } from './stock-alert.graphql.ts';
import type { StockAlert } from './stock-alert.service.ts';
import { alertCancelLimits, alertLimits } from './stock-alert.limits.graphql.ts';

const createInput = z.object({ email: emailAddress.nullish() });

function alertPayload(name: string, description: string) {
  const ref = payloadType<{ stockAlert: StockAlert }>(name, 'What became of it.');
  builder.objectField(ref, 'stockAlert', (t) =>
    t.field({ type: StockAlertRef, nullable: true, description, resolve: (payload) => payload.stockAlert ?? null }),
  );
  return ref;
}

const StockAlertCreateInputRef = builder.inputType('StockAlertCreateInput', {
  description:
    '`email` may be left out by those who are logged in. Asking again for the same is answered like the first time.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'What to wait for.' }),
    email: t.string({ description: "Where to be told; a user's own address unless set." }),
  }),
});

const StockAlertCancelInputRef = builder.inputType('StockAlertCancelInput', {
  description: "`token` is the one in the e-mail's cancel link; the owner may name `id` instead.",
  fields: (t) => ({
    id: t.id({ description: "One of the caller's own." }),
    token: t.string({ description: 'The token of the mail.' }),
  }),
});

async function create(ctx: Context, input: typeof StockAlertCreateInputRef.$inferInput): Promise<StockAlert> {
  const variantId = inputId('ProductVariant', input.variantId, ['variantId']);
  const given = parseInput(createInput, input).email ?? null;
  const { user } = ctx.viewer;
  const owner = user === null ? null : await loadKnown(ctx.loaders.user, user.userId);
  const email = given ?? owner?.email ?? refuseInput('REQUIRED', 'email is needed from guests.', ['email']);
  return ctx.services.stockAlerts.create({ variantId, email, owner });
}

async function cancel(ctx: Context, input: typeof StockAlertCancelInputRef.$inferInput): Promise<StockAlert> {
  const { id, token } = input;
  const { stockAlerts } = ctx.services;
  if (id != null && token == null) {
    const alertId = inputId('StockAlert', id, ['id']);
    const userId = ctx.viewer.user?.userId ?? refuse('NOT_FOUND', 'There is no such alert.', ['id']);
    return stockAlerts.cancelOwn(alertId, userId);
  }
  if (token != null && id == null) return stockAlerts.cancelByToken(token);
  return refuseInput('EITHER_OR', 'Give either id or token.', null, { fields: 'id,token' });
}

/** What the operation read before is not to be shown again. */
async function renewed(ctx: Context, command: () => Promise<StockAlert>): Promise<{ stockAlert: StockAlert }> {
  const stockAlert = await command();
  renewLoaders(ctx);
  return { stockAlert };
}

builder.mutationFields((t) => ({
  stockAlertCreate: t.field({
    type: alertPayload('StockAlertCreatePayload', 'The alert; null where there is none to wait for it.'),
    nullable: true,
    extensions: alertLimits,
    description: `Has an address told by mail when a variant that is sold out can be bought again; for guests and users, once per
variant and address. Who already waits is not told to anybody else.`,
    args: { input: t.arg({ type: StockAlertCreateInputRef, required: true, description: 'What, and where to.' }) },
    resolve: (_root, { input }, ctx) => orErrors(() => renewed(ctx, () => create(ctx, input))),
  }),

  stockAlertCancel: t.field({
    type: alertPayload('StockAlertCancelPayload', 'The alert as it is now; null where nothing was found.'),
    nullable: true,
    extensions: alertCancelLimits,
    description: 'Calls an alert off; one that is called off already, or was told, stays as it is.',
    args: { input: t.arg({ type: StockAlertCancelInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) => orErrors(() => renewed(ctx, () => cancel(ctx, input))),
  }),
}));

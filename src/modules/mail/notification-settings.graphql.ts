import { builder } from '../../graphql/schema/builder.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import type { MailSettings } from './mail-settings.service.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const NotificationSettingsRef = builder.objectRef<MailSettings>('NotificationSettings');

builder.objectType(NotificationSettingsRef, {
  description: 'Optional emails that a user wants to receive. All other emails are required and always sent.',
  fields: (t) => ({
    orderStatus: t.boolean({
      nullable: false,
      description: 'Whether to send an email when an order is fulfilled, delivered or cancelled.',
      resolve: (settings) => settings.ORDER_STATUS,
    }),
    lowStock: t.boolean({
      nullable: false,
      description: 'Whether to send an email when a variant in the cart is low in stock.',
      resolve: (settings) => settings.LOW_STOCK,
    }),
    backInStock: t.boolean({
      nullable: false,
      description: 'Whether to send an email when a stock alert finds its variant available again.',
      resolve: (settings) => settings.BACK_IN_STOCK,
    }),
  }),
});

builder.objectField(UserRef, 'notificationSettings', (t) =>
  t.field({
    type: NotificationSettingsRef,
    nullable: true,
    description: 'Optional emails that the user wants to receive. Visible to the user only; null for anyone else.',
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id,
    resolve: (user, _args, ctx) => ctx.services.mailSettings.of(user.id),
  }),
);

const NotificationSettingsUpdateInputRef = builder.inputType('NotificationSettingsUpdateInput', {
  description: 'Input of `notificationSettingsUpdate`. Settings that are null or omitted keep their values.',
  fields: (t) => ({
    orderStatus: t.boolean({
      required: false,
      description: 'Whether to send an email when an order is fulfilled, delivered or cancelled.',
    }),
    lowStock: t.boolean({
      required: false,
      description: 'Whether to send an email when a variant in the cart is low in stock.',
    }),
    backInStock: t.boolean({
      required: false,
      description: 'Whether to send an email when a stock alert finds its variant available again.',
    }),
  }),
});

const NotificationSettingsUpdatePayloadRef = payloadType<{ userId: string }>(
  'NotificationSettingsUpdatePayload',
  'Result of `notificationSettingsUpdate`.',
);

builder.objectField(NotificationSettingsUpdatePayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'Current user with the new settings. Null if the mutation failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
);

builder.mutationField('notificationSettingsUpdate', (t) =>
  t.field({
    type: NotificationSettingsUpdatePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Changes which optional emails the current user receives. Unsubscribe links in emails change the same ' +
      "settings. Enabling a setting also cancels an earlier unsubscription of the user's email address. Requires " +
      'login.',
    args: {
      input: t.arg({ type: NotificationSettingsUpdateInputRef, required: true, description: 'Settings to change.' }),
    },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        await ctx.services.mailSettings.update(userId, {
          ...(input.orderStatus == null ? {} : { ORDER_STATUS: input.orderStatus }),
          ...(input.lowStock == null ? {} : { LOW_STOCK: input.lowStock }),
          ...(input.backInStock == null ? {} : { BACK_IN_STOCK: input.backInStock }),
        });
        return { userId };
      });
    },
  }),
);

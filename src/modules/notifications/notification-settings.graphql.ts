import { builder } from '../../graphql/builder.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { requireUser } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import type { MailSettings } from './mail-settings.service.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

const NotificationSettingsRef = builder.objectRef<MailSettings>('NotificationSettings');

builder.objectType(NotificationSettingsRef, {
  description: 'Which of the mails that nobody has to take a user takes. All others are needed, and always sent.',
  fields: (t) => ({
    orderStatus: t.boolean({
      nullable: false,
      description: 'An order was moved along, or cancelled.',
      resolve: (settings) => settings.ORDER_STATUS,
    }),
    lowStock: t.boolean({
      nullable: false,
      description: 'Something in the cart runs low.',
      resolve: (settings) => settings.LOW_STOCK,
    }),
    backInStock: t.boolean({
      nullable: false,
      description: 'Something that was waited for is back.',
      resolve: (settings) => settings.BACK_IN_STOCK,
    }),
  }),
});

builder.objectField(UserRef, 'notificationSettings', (t) =>
  t.field({
    type: NotificationSettingsRef,
    nullable: true,
    description: 'Which mails the user takes. Seen by the user alone.',
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id,
    resolve: (user, _args, ctx) => ctx.services.mailSettings.of(user.id),
  }),
);

const NotificationSettingsUpdateInputRef = builder.inputType('NotificationSettingsUpdateInput', {
  description: 'What is to change; what is left out, or null, stays.',
  fields: (t) => ({
    orderStatus: t.boolean({ required: false, description: 'Whether to take mails of what becomes of an order.' }),
    lowStock: t.boolean({ required: false, description: 'Whether to take mails of what runs low in the cart.' }),
    backInStock: t.boolean({ required: false, description: 'Whether to take mails of what is back in stock.' }),
  }),
});

const NotificationSettingsUpdatePayloadRef = payloadType<{ userId: string }>(
  'NotificationSettingsUpdatePayload',
  'What became of it.',
);

builder.objectField(NotificationSettingsUpdatePayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'The user who asks, with the settings as they are now.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
);

builder.mutationField('notificationSettingsUpdate', (t) =>
  t.field({
    type: NotificationSettingsUpdatePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Says which mails the user who asks takes. Links in the mails themselves turn off the same. What is turned on is so
for the account's address, too.`,
    args: {
      input: t.arg({ type: NotificationSettingsUpdateInputRef, required: true, description: 'What is to change.' }),
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

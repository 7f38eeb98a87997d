import { builder } from '../../graphql/schema/builder.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import { confirmationLimits, confirmationRequestLimits } from './account.limits.graphql.ts';

const EmailVerifyInputRef = builder.inputType('EmailVerifyInput', {
  description: 'Input of `emailVerify`.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'Token from the link in the email. Valid for seven days.' }),
  }),
});

const EmailVerifyPayloadRef = payloadType<{ userId: string }>('EmailVerifyPayload', 'Result of `emailVerify`.');

builder.objectField(EmailVerifyPayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description:
      'User whose email address was confirmed. Null unless the caller is logged in as that user, because the ' +
      'link may be opened in any browser.',
    resolve: ({ userId }, _args, ctx) =>
      userId !== undefined && userId === ctx.viewer.user?.userId ? ctx.loaders.user.load(userId) : null,
  }),
);

builder.mutationField('emailVerify', (t) =>
  t.field({
    type: EmailVerifyPayloadRef,
    nullable: true,
    extensions: confirmationLimits,
    description:
      'Confirms the email address of an account with the token from a confirmation email; the caller need not be ' +
      'logged in. Orders and stock alerts that guests created with this email address are moved to the account. ' +
      'Repeating the call has no further effect.',
    args: { input: t.arg({ type: EmailVerifyInputRef, required: true, description: 'Confirmation token.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const userId = await ctx.services.accounts.confirmEmail(input.token);
        // Read before, if at all, as it was then.
        ctx.loaders.user.clear(userId);
        return { userId };
      }),
  }),
);

const EmailVerifyRequestPayloadRef = payloadType<{ accepted: boolean }>(
  'EmailVerifyRequestPayload',
  'Result of `emailVerifyRequest`.',
);

builder.objectField(EmailVerifyRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description:
      'Whether the request was accepted. A confirmation email is sent unless the address is already confirmed.',
    resolve: ({ accepted }) => accepted ?? false,
  }),
);

builder.mutationField('emailVerifyRequest', (t) =>
  t.field({
    type: EmailVerifyRequestPayloadRef,
    nullable: true,
    extensions: confirmationRequestLimits,
    description: 'Sends another confirmation email to the address of the current user. Requires login.',
    authScopes: { user: true },
    resolve: (_root, _args, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        await ctx.services.accounts.requestEmailConfirmation(userId);
        return { accepted: true };
      });
    },
  }),
);

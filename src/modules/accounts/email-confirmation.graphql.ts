import { builder } from '../../graphql/builder.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { requireUser } from '../../graphql/viewer.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import { confirmationLimits, confirmationRequestLimits } from './account.limits.graphql.ts';

const EmailVerifyInputRef = builder.inputType('EmailVerifyInput', {
  description: 'What the link in the mail holds.',
  fields: (t) => ({ token: t.string({ required: true, description: 'The token, good for seven days.' }) }),
});

const EmailVerifyPayloadRef = payloadType<{ userId: string }>('EmailVerifyPayload', 'What became of it.');

builder.objectField(EmailVerifyPayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'The user whose address was confirmed, if it is the one who asks: a link may be opened anywhere.',
    resolve: ({ userId }, _args, ctx) =>
      userId !== undefined && userId === ctx.viewer.user?.userId ? ctx.loaders.user.load(userId) : null,
  }),
);

builder.mutationField('emailVerify', (t) =>
  t.field({
    type: EmailVerifyPayloadRef,
    nullable: true,
    extensions: confirmationLimits,
    description: `Confirms an e-mail address by the token that was sent to it, whoever opens the link. What guests ordered with the
address becomes the user's. A second time it changes nothing.`,
    args: { input: t.arg({ type: EmailVerifyInputRef, required: true, description: 'The token.' }) },
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
  'What became of it.',
);

builder.objectField(EmailVerifyRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description: 'Another link is on its way, unless the address is confirmed already.',
    resolve: ({ accepted }) => accepted ?? false,
  }),
);

builder.mutationField('emailVerifyRequest', (t) =>
  t.field({
    type: EmailVerifyRequestPayloadRef,
    nullable: true,
    extensions: confirmationRequestLimits,
    description: "Sends another link to confirm the viewer's address.",
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

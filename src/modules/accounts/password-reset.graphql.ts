import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { ENTRY } from '../../graphql/schema/entry.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { emailAddress, parseInput } from '../input.ts';
import { AuthPayloadRef, entryOf, TokenDeliveryRef, tokensField, welcome } from './auth-payload.graphql.ts';
import { newPassword } from './password.ts';
import { resetLimits, resetRequestLimits } from './account.limits.graphql.ts';

const PasswordResetRequestInputRef = builder.inputType('PasswordResetRequestInput', {
  description: 'Input of `passwordResetRequest`.',
  fields: (t) => ({ email: t.string({ required: true, description: 'Email address of the account.' }) }),
});

const PasswordResetRequestPayloadRef = payloadType<{ accepted: boolean }>(
  'PasswordResetRequestPayload',
  'Result of `passwordResetRequest`. It is the same whether or not an account with the email address exists.',
);

builder.objectField(PasswordResetRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description: 'Whether the request was accepted. An email is sent only if an account with the email address exists.',
    resolve: ({ accepted }) => accepted ?? false,
  }),
);

const PasswordResetInputRef = builder.inputType('PasswordResetInput', {
  description: 'Input of `passwordReset`.',
  fields: (t) => ({
    token: t.string({
      required: true,
      description: 'Token from the link in the email. Valid for one hour and for one use.',
    }),
    newPassword: t.string({
      required: true,
      description: 'New password of 10 to 200 characters. Commonly used passwords are rejected.',
    }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
  }),
});

const requestInput = z.object({ email: emailAddress });
const resetInput = z.object({ token: z.string(), newPassword });

builder.mutationFields((t) => ({
  passwordResetRequest: t.field({
    type: PasswordResetRequestPayloadRef,
    nullable: true,
    extensions: { ...resetRequestLimits, ...ENTRY },
    description: 'Sends an email with a link to choose a new password. The link is valid for one hour.',
    args: {
      input: t.arg({
        type: PasswordResetRequestInputRef,
        required: true,
        description: 'Account whose password was forgotten.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { email } = parseInput(requestInput, input);
        await ctx.services.accounts.requestPasswordReset(email);
        return { accepted: true };
      }),
  }),

  passwordReset: t.field({
    type: AuthPayloadRef,
    nullable: true,
    extensions: { ...resetLimits, ...ENTRY },
    description:
      'Sets a new password with the token from a password reset email, and logs in. Ends every other session of ' +
      'the user, invalidates all other reset links, and confirms the email address.',
    args: { input: t.arg({ type: PasswordResetInputRef, required: true, description: 'Token and new password.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const change = parseInput(resetInput, input);
        const entered = await ctx.services.accounts.resetPassword(change, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE');
      }),
  }),
}));

import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { emailAddress, parseInput } from '../input.ts';
import { AuthPayloadRef, entryOf, TokenDeliveryRef, tokensField, welcome } from './auth-payload.graphql.ts';
import { newPassword } from './password.ts';
import { resetLimits, resetRequestLimits } from './account.limits.graphql.ts';

const PasswordResetRequestInputRef = builder.inputType('PasswordResetRequestInput', {
  description: 'Whose password was forgotten.',
  fields: (t) => ({ email: t.string({ required: true, description: "The account's address." }) }),
});

const PasswordResetRequestPayloadRef = payloadType<{ accepted: boolean }>(
  'PasswordResetRequestPayload',
  'The same answer whether or not the address is known.',
);

builder.objectField(PasswordResetRequestPayloadRef, 'accepted', (t) =>
  t.boolean({
    nullable: false,
    description: 'If there is an account with the address, a link is on its way to it.',
    resolve: ({ accepted }) => accepted ?? false,
  }),
);

const PasswordResetInputRef = builder.inputType('PasswordResetInput', {
  description: 'Another password, by a link.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token in the link: good for an hour, and once.' }),
    newPassword: t.string({ required: true, description: '10 to 200 characters, and not one that everybody uses.' }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
  }),
});

const requestInput = z.object({ email: emailAddress });
const resetInput = z.object({ token: z.string(), newPassword });

builder.mutationFields((t) => ({
  passwordResetRequest: t.field({
    type: PasswordResetRequestPayloadRef,
    nullable: true,
    extensions: resetRequestLimits,
    description: 'Sends a link to choose a new password. It is good for an hour.',
    args: { input: t.arg({ type: PasswordResetRequestInputRef, required: true, description: 'Whose.' }) },
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
    extensions: resetLimits,
    description: `Sets another password by the token of a link and logs in. Every session of the user ends, every other link is void,
and the address counts as confirmed: the link was sent to it.`,
    args: { input: t.arg({ type: PasswordResetInputRef, required: true, description: 'Token and password.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const change = parseInput(resetInput, input);
        const entered = await ctx.services.accounts.resetPassword(change, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE');
      }),
  }),
}));

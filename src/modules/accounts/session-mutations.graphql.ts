import { z } from 'zod';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { requireUser, setViewer } from '../../graphql/viewer.ts';
import { parseInput } from '../input.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import { admit } from './auth-payload.graphql.ts';
import type { IssuedTokens } from './session.service.ts';
import { MOST, newPassword } from './password.ts';
import { passwordChangeLimits } from './account.limits.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

const LogoutInputRef = builder.inputType('LogoutInput', {
  description: 'How far to log out.',
  fields: (t) => ({
    everywhere: t.boolean({ defaultValue: false, description: 'Also end every other session of this user.' }),
  }),
});

const LogoutPayloadRef = payloadType<{ loggedOut: boolean }>('LogoutPayload', 'What became of it.');

builder.objectField(LogoutPayloadRef, 'loggedOut', (t) =>
  t.boolean({
    nullable: false,
    description: 'Nobody is logged in here any more, whether or not somebody was.',
    resolve: ({ loggedOut }) => loggedOut ?? false,
  }),
);

const PasswordChangeInputRef = builder.inputType('PasswordChangeInput', {
  description: 'Another password.',
  fields: (t) => ({
    currentPassword: t.string({ required: true, description: 'The present one.' }),
    newPassword: t.string({ required: true, description: '10 to 200 characters, and not one that everybody uses.' }),
  }),
});

const PasswordChangePayloadRef = payloadType<{ userId: string; tokens: IssuedTokens | null }>(
  'PasswordChangePayload',
  'The user and the new session.',
);

const BODY_ONLY = 'Null where the session that asked came as a cookie: the new one comes as cookies, too.';

builder.objectFields(PasswordChangePayloadRef, (t) => ({
  user: t.field({
    type: UserRef,
    nullable: true,
    description: 'The user; null where nothing was changed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
  accessToken: t.string({
    nullable: true,
    description: `The access token of the new session. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.accessToken ?? null,
  }),
  accessTokenExpiresAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: `When to have refreshed the new session by. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.accessTokenExpiresAt ?? null,
  }),
  refreshToken: t.string({
    nullable: true,
    description: `The refresh token of the new session. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.refreshToken ?? null,
  }),
}));

const passwordChangeInput = z.object({
  currentPassword: z
    .string()
    .min(1, 'must not be empty')
    .max(2 * MOST, `must have at most ${MOST} characters`),
  newPassword,
});

/** The session that is to end: that of the access token, or of the refresh cookie where that one is over already. */
async function sessionOf({ viewer, cookies, services }: Context): Promise<{ id: string; userId: string } | null> {
  if (viewer.user !== null) return { id: viewer.user.sessionId, userId: viewer.user.userId };
  return cookies.refreshToken === undefined ? null : services.sessions.ofRefreshToken(cookies.refreshToken);
}

builder.mutationFields((t) => ({
  logout: t.field({
    type: LogoutPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Ends the session, closes its sockets and takes its cookies away. Who was not logged in may ask, too.',
    args: { input: t.arg({ type: LogoutInputRef, description: 'How far.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const session = await sessionOf(ctx);
        const { guest } = ctx.viewer;
        if (session === null && guest !== null) await ctx.services.sessions.forgetGuest(guest.id);
        if (session !== null) {
          const { sessions } = ctx.services;
          await (input?.everywhere === true ? sessions.logOutEverywhere(session.userId) : sessions.logOut(session.id));
        }
        setViewer(ctx, { user: null, guest: null });
        ctx.entering = null;
        ctx.cookies.clearSession();
        ctx.cookies.clearCart();
        return { loggedOut: true };
      }),
  }),

  passwordChange: t.field({
    type: PasswordChangePayloadRef,
    nullable: true,
    extensions: passwordChangeLimits,
    description: `Sets another password and ends every session of the user, the one that asks included; a new session begins. Its tokens
come as those did that asked: as cookies, or in the payload.`,
    authScopes: { user: true },
    args: { input: t.arg({ type: PasswordChangeInputRef, required: true, description: 'Old and new.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId, role } = requireUser(ctx);
      return orErrors(async () => {
        const change = parseInput(passwordChangeInput, input);
        const { userAgent, accessToken, cookies } = ctx;
        const tokens = await ctx.services.accounts.changePassword({ userId, userAgent, ...change });
        const delivery = accessToken !== null && accessToken === cookies.accessToken ? 'COOKIE' : 'BODY';
        const { sessionId } = tokens;
        return { userId, tokens: admit(ctx, { userId, role, sessionId }, tokens, delivery) };
      });
    },
  }),
}));

import { z } from 'zod';
import { MOST_PASSWORD, passwordProblems } from '../../config/new-password.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { ENTRY } from '../../graphql/schema/entry.ts';
import type { Context } from '../../graphql/context/context.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser, setViewer } from '../../graphql/context/viewer.ts';
import { parseInput } from '../input.ts';
import { UserRef } from './accounts.refs.graphql.ts';
import { admit } from './auth-payload.graphql.ts';
import type { IssuedTokens } from './session.service.ts';
import { newPassword } from './password.ts';
import { passwordChangeLimits } from './account.limits.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const LogoutInputRef = builder.inputType('LogoutInput', {
  description: 'Input of `logout`.',
  fields: (t) => ({
    everywhere: t.boolean({
      defaultValue: false,
      description: 'Whether to end all other sessions of the user, too. Defaults to false.',
    }),
  }),
});

const LogoutPayloadRef = payloadType<{ loggedOut: boolean }>('LogoutPayload', 'Result of `logout`.');

builder.objectField(LogoutPayloadRef, 'loggedOut', (t) =>
  t.boolean({
    nullable: false,
    description: 'Always true: no user is logged in on this device now, whether or not a user was before.',
    resolve: ({ loggedOut }) => loggedOut ?? false,
  }),
);

const SessionEndInputRef = builder.inputType('SessionEndInput', {
  description: 'Input of `sessionEnd`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'ID of the session, from `User.sessions`.' }),
  }),
});

const SessionEndPayloadRef = payloadType<{ endedId: string }>('SessionEndPayload', 'Result of `sessionEnd`.');

builder.objectField(SessionEndPayloadRef, 'endedId', (t) =>
  t.id({
    nullable: true,
    description: 'ID of the session that was ended. Null if the mutation failed.',
    resolve: ({ endedId }) => endedId ?? null,
  }),
);

const PasswordChangeInputRef = builder.inputType('PasswordChangeInput', {
  description: 'Input of `passwordChange`.',
  fields: (t) => ({
    currentPassword: t.string({ required: true, description: 'Current password.' }),
    newPassword: t.string({
      required: true,
      description: 'New password of 10 to 200 characters. Commonly used passwords are rejected.',
    }),
  }),
});

const PasswordChangePayloadRef = payloadType<{ userId: string; tokens: IssuedTokens | null }>(
  'PasswordChangePayload',
  'Result of `passwordChange`.',
);

const BODY_ONLY = 'Null if the call was authenticated by cookie; the new tokens are then set as cookies.';

builder.objectFields(PasswordChangePayloadRef, (t) => ({
  user: t.field({
    type: UserRef,
    nullable: true,
    description: 'User whose password was changed. Null if the mutation failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
  accessToken: t.string({
    nullable: true,
    description: `Access token of the new session. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.accessToken ?? null,
  }),
  accessTokenExpiresAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: `Time at which the new access token expires. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.accessTokenExpiresAt ?? null,
  }),
  refreshToken: t.string({
    nullable: true,
    description: `Refresh token of the new session. ${BODY_ONLY}`,
    resolve: ({ tokens }) => tokens?.refreshToken ?? null,
  }),
}));

const passwordChangeInput = z.object({
  currentPassword: z
    .string()
    .min(1, 'must not be empty')
    .max(2 * MOST_PASSWORD, passwordProblems.TOO_LONG),
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
    extensions: { ...GENERAL_LIMIT_SUFFICES, ...ENTRY },
    description:
      'Ends the session, closes its WebSockets and deletes its cookies. A browser receives the cookie of a new guest. ' +
      'Succeeds even if no user is logged in.',
    args: { input: t.arg({ type: LogoutInputRef, description: 'Sessions to end. Defaults to the current one.' }) },
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
        const isBrowser = (ctx.cookies.accessToken ?? ctx.cookies.refreshToken) !== undefined;
        ctx.cookies.clearSession();
        // The sockets of all tabs come back at the same time. Without a name each would be given one of its own, and all tabs but
        // one would follow a cart that is not the browser's.
        if (session !== null && isBrowser) ctx.cookies.setCart(ctx.services.guests.offer().token);
        else ctx.cookies.clearCart();
        return { loggedOut: true };
      }),
  }),

  sessionEnd: t.field({
    type: SessionEndPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Ends one session of the user, such as that of a lost device, and closes its WebSockets. To end the current session, ' +
      'use `logout`, which deletes its cookies, too. NOT_FOUND if the user has no such session. Requires login.',
    authScopes: { user: true },
    args: { input: t.arg({ type: SessionEndInputRef, required: true, description: 'Session to end.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        const sessionId = inputId('Session', input.id, ['id']);
        await ctx.services.sessions.logOutElsewhere(userId, sessionId, ['id']);
        return { endedId: input.id };
      });
    },
  }),

  passwordChange: t.field({
    type: PasswordChangePayloadRef,
    nullable: true,
    extensions: passwordChangeLimits,
    description:
      'Sets a new password, ends every session of the user including the current one, and starts a new session. ' +
      'The new tokens are returned in the way the call was authenticated: as cookies or in the payload. Requires ' +
      'login.',
    authScopes: { user: true },
    args: { input: t.arg({ type: PasswordChangeInputRef, required: true, description: 'Current and new password.' }) },
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

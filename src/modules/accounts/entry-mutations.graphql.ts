import { z } from 'zod';
import { MOST_PASSWORD, passwordProblems } from '../../config/new-password.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { ENTRY } from '../../graphql/schema/entry.ts';
import type { Context } from '../../graphql/context/context.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { emailAddress, parseInput, plainText } from '../input.ts';
import { Refusal, refuse } from '../user-error.ts';
import {
  admit,
  AuthPayloadRef,
  entryOf,
  TokenDeliveryRef,
  tokensField,
  welcome,
  type AuthResult,
} from './auth-payload.graphql.ts';
import { newPassword } from './password.ts';
import { loginLimits, refreshLimits, registerLimits } from './account.limits.graphql.ts';

const RegisterInputRef = builder.inputType('RegisterInput', {
  description: 'Input of `register`.',
  fields: (t) => ({
    email: t.string({
      required: true,
      description: 'Email address of the new account. Must not belong to an existing account.',
    }),
    password: t.string({
      required: true,
      description: 'Password of 10 to 200 characters. Commonly used passwords are rejected.',
    }),
    name: t.string({ required: true, description: 'Name of the user, at most 100 characters.' }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
  }),
});

const LoginInputRef = builder.inputType('LoginInput', {
  description: 'Input of `login`.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Email address of the account.' }),
    password: t.string({ required: true, description: 'Password of the account.' }),
    tokens: t.field({ type: TokenDeliveryRef, ...tokensField }),
    deviceToken: t.string({
      description: 'Device token from an earlier login on this device. Omit it if the token is stored as a cookie.',
    }),
  }),
});

const RefreshSessionInputRef = builder.inputType('RefreshSessionInput', {
  description:
    'Input of `refreshSession`. If the refresh token is sent as a cookie, the new tokens are returned as ' +
    'cookies; otherwise in the body.',
  fields: (t) => ({
    refreshToken: t.string({ description: 'Refresh token. Omit it if the token is stored as a cookie.' }),
  }),
});

const registerInput = z.object({ email: emailAddress, password: newPassword, name: plainText(100) });

const loginInput = z.object({
  email: emailAddress,
  password: z
    .string()
    .min(1, 'must not be empty')
    .max(2 * MOST_PASSWORD, passwordProblems.TOO_LONG),
});

async function refresh(ctx: Context, given: string | null | undefined): Promise<AuthResult> {
  const byCookie = given == null;
  try {
    const refreshToken = given ?? ctx.cookies.refreshToken;
    if (refreshToken === undefined) refuse('TOKEN_INVALID', 'The refresh token is missing. Log in again.');
    const refreshed = await ctx.services.sessions.refresh(refreshToken, byCookie ? null : ['refreshToken']);
    const { tokens, ...identity } = refreshed;
    const body = admit(ctx, identity, tokens, byCookie ? 'COOKIE' : 'BODY');
    const { accessTokenExpiresAt } = tokens;
    return { userId: identity.userId, tokens: body, accessTokenExpiresAt, cartNotices: [] };
  } catch (error) {
    // Neither can be of use again, and no script can take them away: the browser goes on as a guest.
    if (byCookie && error instanceof Refusal) ctx.cookies.clearSession();
    throw error;
  }
}

builder.mutationFields((t) => ({
  register: t.field({
    type: AuthPayloadRef,
    nullable: true,
    extensions: { ...registerLimits, ...ENTRY },
    description: "Creates an account and logs in. The guest's cart becomes the user's cart.",
    args: { input: t.arg({ type: RegisterInputRef, required: true, description: 'Account to create.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const account = parseInput(registerInput, input);
        const entered = await ctx.services.accounts.register(account, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE');
      }),
  }),

  login: t.field({
    type: AuthPayloadRef,
    nullable: true,
    extensions: { ...loginLimits, ...ENTRY },
    description:
      "Logs in and starts a new session. The lines of the guest's cart are moved to the user's cart, and their " +
      'units remain held.',
    args: { input: t.arg({ type: LoginInputRef, required: true, description: 'Credentials.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const credentials = parseInput(loginInput, input);
        const entered = await ctx.services.accounts.login(credentials, entryOf(ctx));
        return welcome(ctx, entered, input.tokens ?? 'COOKIE', input.deviceToken);
      }),
  }),

  refreshSession: t.field({
    type: AuthPayloadRef,
    nullable: true,
    extensions: { ...refreshLimits, ...ENTRY },
    description:
      'Exchanges a refresh token for new tokens. Each refresh token can be used once. If it is sent again within ' +
      'ten seconds, for example by another tab, the response contains the same new tokens; if it is sent later, ' +
      'the token is considered stolen and the session ends.',
    args: {
      input: t.arg({ type: RefreshSessionInputRef, description: 'Refresh token, unless it is stored as a cookie.' }),
    },
    resolve: (_root, { input }, ctx) => orErrors(() => refresh(ctx, input?.refreshToken)),
  }),
}));

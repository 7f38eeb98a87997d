import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { RoleRef, SessionRef, UserRef } from './accounts.refs.graphql.ts';

function isSelf(ctx: Context, userId: string): boolean {
  return ctx.viewer.user?.userId === userId;
}

builder.node(UserRef, {
  description: 'A person with an account.',
  id: { resolve: (user) => user.id, description: 'Global ID of the user.' },
  fields: (t) => ({
    email: t.exposeString('email', { nullable: false, description: 'Email address, as entered by the user.' }),
    name: t.exposeString('name', { nullable: false, description: 'Full name or nickname, as entered by the user.' }),
    emailVerified: t.boolean({
      nullable: false,
      description: 'Whether the user has confirmed the email address.',
      resolve: (user) => user.emailVerifiedAt !== null,
    }),
    role: t.expose('role', {
      type: RoleRef,
      nullable: false,
      description: 'Role, which determines what the user may do.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the account was created.',
    }),
    sessions: t.field({
      type: [SessionRef],
      nullable: { list: true, items: false },
      description: 'Active sessions, most recently used first. Visible to the user only; null for anyone else.',
      authScopes: (user, _args, ctx) => isSelf(ctx, user.id),
      resolve: (user, _args, ctx) => ctx.services.sessions.list(user.id),
    }),
  }),
});

builder.node(SessionRef, {
  description:
    'A login on one device. It ends with `logout`, `sessionEnd`, a change or reset of the password, a change of role, ' +
    'the reuse of an old refresh token, or when it expires.',
  id: { resolve: (session) => session.id, description: 'Global ID of the session.' },
  fields: (t) => ({
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: '`User-Agent` header sent at login. Null if the header was missing.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'Time of the login.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the session was last refreshed.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the session expires unless it is refreshed.',
    }),
    current: t.boolean({
      nullable: false,
      description: 'Whether this is the session of the current request.',
      resolve: (session, _args, ctx) => ctx.viewer.user?.sessionId === session.id,
    }),
  }),
});

registerNode('User', async (ids, ctx) => {
  const visible = ids.filter((id) => isSelf(ctx, id) || isStaff(ctx.viewer));
  const users = await ctx.loaders.user.loadMany(visible);
  const found = new Map(visible.map((id, index) => [id, users[index]]));
  return ids.map((id) => {
    const user = found.get(id) ?? null;
    if (user instanceof Error) throw user;
    return user;
  });
});

registerNode('Session', async (ids, ctx) => {
  const { user } = ctx.viewer;
  const own = user === null ? [] : await ctx.services.sessions.list(user.userId);
  return ids.map((id) => own.find((session) => session.id === id) ?? null);
});

builder.queryField('me', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'User who is logged in. Null for guests.',
    resolve: (_root, _args, ctx) => {
      const { user } = ctx.viewer;
      return user === null ? null : ctx.loaders.user.load(user.userId);
    },
  }),
);

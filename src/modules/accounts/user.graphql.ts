import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { registerNode } from '../../graphql/node.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { RoleRef, SessionRef, UserRef } from './accounts.refs.graphql.ts';

function isSelf(ctx: Context, userId: string): boolean {
  return ctx.viewer.user?.userId === userId;
}

builder.node(UserRef, {
  description: 'Somebody with an account.',
  id: { resolve: (user) => user.id, description: 'Names the user.' },
  fields: (t) => ({
    email: t.exposeString('email', { nullable: false, description: 'The address, as it was given.' }),
    name: t.exposeString('name', { nullable: false, description: 'What the user wants to be called.' }),
    emailVerified: t.boolean({
      nullable: false,
      description: 'Whether the user has shown that mail to the address arrives.',
      resolve: (user) => user.emailVerifiedAt !== null,
    }),
    role: t.expose('role', { type: RoleRef, nullable: false, description: 'What the user may do.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When the account was made.' }),
    sessions: t.field({
      type: [SessionRef],
      nullable: { list: true, items: false },
      description: 'Devices that are logged in, the one that was used last first. Seen by the user alone.',
      authScopes: (user, _args, ctx) => isSelf(ctx, user.id),
      resolve: (user, _args, ctx) => ctx.services.sessions.list(user.id),
    }),
  }),
});

builder.node(SessionRef, {
  description: 'A device that is logged in.',
  id: { resolve: (session) => session.id, description: 'Names the session.' },
  fields: (t) => ({
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What it said it was when it logged in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it logged in.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'When it was last refreshed.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: false,
      description: 'When it runs out unless it is refreshed before.',
    }),
    current: t.boolean({
      nullable: false,
      description: 'The session that asks.',
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
    description: 'The user who asks. Null for a guest.',
    resolve: (_root, _args, ctx) => {
      const { user } = ctx.viewer;
      return user === null ? null : ctx.loaders.user.load(user.userId);
    },
  }),
);

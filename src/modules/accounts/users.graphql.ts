import { searchableEmailAddress } from '../../config/email-address.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser, setViewer } from '../../graphql/context/viewer.ts';
import { isPlain } from '../input.ts';
import { RoleRef, UserRef } from './accounts.refs.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const MAX_SEARCH = 200;
const NOBODY = { rows: [], hasNextPage: false, hasPreviousPage: false };
const ofUsers: CursorType = { list: 'users', values: [cursorTypes.instant, cursorTypes.uuid] };

const UserConnectionRef = connectionType(UserRef, 'users');

builder.queryField('users', (t) =>
  t.field({
    type: UserConnectionRef,
    nullable: true,
    description: 'All users, newest first. Admins only.',
    authScopes: { admin: true },
    args: {
      search: t.arg.string({
        description: 'Text to find in the name or email address, ignoring case. At most 200 characters.',
      }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { search, ...args }, ctx) => {
      const words = searchableEmailAddress(search?.trim() ?? '');
      if (words.length > MAX_SEARCH) {
        throw requestError('BAD_REQUEST', `\`search\` may have at most ${MAX_SEARCH} characters.`);
      }
      const page = pageOf(args, ofUsers);
      if (!isPlain(words)) return toConnection(NOBODY, ofUsers, async () => 0);
      const sought = words === '' ? null : words;
      const { admin } = ctx.services;
      return toConnection(await admin.userPage(sought, page), ofUsers, () => admin.userCount(sought));
    },
  }),
);

const UserRoleUpdateInputRef = builder.inputType('UserRoleUpdateInput', {
  description: 'Input of `userRoleUpdate`.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'Global ID of the user.' }),
    role: t.field({ type: RoleRef, required: true, description: 'New role.' }),
  }),
});

const UserRoleUpdatePayloadRef = payloadType<{ userId: string }>(
  'UserRoleUpdatePayload',
  'Result of `userRoleUpdate`.',
);

builder.objectField(UserRoleUpdatePayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'User with the new role. Null if the mutation failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
);

builder.mutationField('userRoleUpdate', (t) =>
  t.field({
    type: UserRoleUpdatePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      "Changes the role of a user and ends all of the user's sessions, including open WebSockets. The role of " +
      'the last ADMIN cannot be changed. Admins only.',
    authScopes: { admin: true },
    args: { input: t.arg({ type: UserRoleUpdateInputRef, required: true, description: 'User and new role.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId: actorId, role: actorRole } = requireUser(ctx);
      return orErrors(async () => {
        const userId = inputId('User', input.userId, ['userId']);
        await ctx.services.admin.updateRole({ userId, role: input.role, actorId });
        ctx.loaders.user.clear(userId);
        // The actor's own session has ended, so the remaining fields run without a user.
        if (userId === actorId && input.role !== actorRole) setViewer(ctx, { user: null, guest: null });
        return { userId };
      });
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { argumentId, parseGlobalId, toGlobalId } from '../../graphql/global-id.ts';
import { loadNode, registerNode } from '../../graphql/node.ts';
import { requestError } from '../../graphql/request-error.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import {
  staffActionKinds,
  type FieldChange,
  type RecordedStaffAction,
  type StaffActionQuery,
} from './staff.service.ts';

const kinds: Readonly<Record<string, string>> = {
  ...staffActionKinds,
  OTHER: 'Something that a newer version of the shop knows.',
};

const StaffActionKindRef = builder.enumType('StaffActionKind', {
  description: 'What was done. New kinds may appear.',
  values: Object.fromEntries(Object.entries(kinds).map(([kind, description]) => [kind, { description }])),
});

const FieldChangeRef = builder.objectRef<FieldChange>('FieldChange').implement({
  description: 'A field that was changed.',
  fields: (t) => ({
    field: t.exposeString('field', { nullable: false, description: 'Which one, by the name that inputs have for it.' }),
    before: t.exposeString('before', {
      nullable: true,
      description: 'What it was, as text; long texts are cut short.',
    }),
    after: t.exposeString('after', { nullable: true, description: 'What it became, likewise.' }),
  }),
});

const StaffActionRef = builder.objectRef<RecordedStaffAction>('StaffAction');

builder.node(StaffActionRef, {
  description: 'One thing that somebody of the staff did. (staff)',
  authScopes: { staff: true },
  id: { resolve: (action) => action.id, description: 'Names the entry.' },
  fields: (t) => ({
    actor: t.field({
      type: UserRef,
      nullable: true,
      description: "Who did it; null where it was the shop's own command, run on its machine, or a CMS.",
      resolve: (action, _args, ctx) => (action.actorId === null ? null : ctx.loaders.user.load(action.actorId)),
    }),
    kind: t.field({
      type: StaffActionKindRef,
      nullable: false,
      description: 'What was done.',
      resolve: (action) => (Object.hasOwn(kinds, action.kind) ? action.kind : 'OTHER'),
    }),
    subjectId: t.id({
      nullable: false,
      description: 'The ID of what it was done to, which may be gone.',
      resolve: (action) => toGlobalId(action.subjectType, action.subjectId),
    }),
    subject: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'What it was done to, as it is now; null where it is gone.',
      resolve: (action, _args, ctx) => loadNode(ctx, toGlobalId(action.subjectType, action.subjectId)),
    }),
    changes: t.field({
      type: [FieldChangeRef],
      nullable: false,
      description: 'What was changed, field by field; empty where that is not how it is told.',
      resolve: (action) => action.changes,
    }),
    note: t.exposeString('note', { nullable: true, description: 'What was said about it.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'When.' }),
  }),
});

registerNode('StaffAction', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const actions = new Map((await ctx.services.staff.byIds(ids)).map((action) => [action.id, action]));
  return ids.map((id) => actions.get(id) ?? null);
});

const StaffActionFilterRef = builder.inputType('StaffActionFilter', {
  description: 'Which entries of the record: those that meet all that is given.',
  fields: (t) => ({
    actorId: t.id({ description: 'Only what this user did.' }),
    subjectId: t.id({
      description: 'Only what was done to this: a product, a variant, a category, an order, a user, a delivery.',
    }),
  }),
});

function toQuery({ actorId, subjectId }: typeof StaffActionFilterRef.$inferInput): StaffActionQuery {
  const query: StaffActionQuery = {};
  if (actorId != null) query.actorId = argumentId('User', actorId, 'actorId');
  if (subjectId != null) {
    const subject = parseGlobalId(subjectId);
    if (subject === null) throw requestError('BAD_REQUEST', '`subjectId` is not an ID of this shop.');
    query.subjectId = subject.id;
  }
  return query;
}

const StaffActionConnectionRef = connectionType(StaffActionRef, 'what staff did');

// Decimal digits that fit a bigint.
const ofActions: CursorType = { list: 'staffActions', values: [cursorTypes.bigint] };

builder.queryField('staffActions', (t) =>
  t.field({
    type: StaffActionConnectionRef,
    nullable: true,
    description: 'Who of the staff changed what, and when, the latest first. (staff)',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: StaffActionFilterRef, description: 'Which entries.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx) => {
      const query = toQuery(filter ?? {});
      const page = await ctx.services.staff.page(query, pageOf(args, ofActions));
      return toConnection(page, ofActions, () => ctx.services.staff.count(query));
    },
  }),
);

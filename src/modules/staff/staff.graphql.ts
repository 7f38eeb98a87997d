import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { argumentId, parseGlobalId, registerNumbered, toGlobalId } from '../../graphql/schema/global-id.ts';
import { loadNode, registerNode } from '../../graphql/schema/node.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import {
  staffActionKinds,
  type FieldChange,
  type RecordedStaffAction,
  type StaffActionQuery,
} from './staff.service.ts';

const kinds: Readonly<Record<string, string>> = {
  ...staffActionKinds,
  OTHER: 'An action of a kind that this version of the shop does not know.',
};

const StaffActionKindRef = builder.enumType('StaffActionKind', {
  description: 'Kind of a recorded action. New kinds may be added.',
  values: Object.fromEntries(Object.entries(kinds).map(([kind, description]) => [kind, { description }])),
});

const FieldChangeRef = builder.objectRef<FieldChange>('FieldChange').implement({
  description: 'A field that was changed.',
  fields: (t) => ({
    field: t.exposeString('field', {
      nullable: false,
      description: 'Name of the field, as in the input of the mutation.',
    }),
    before: t.exposeString('before', {
      nullable: true,
      description: 'Value before the change, as text; long texts are truncated. Null if the field had no value.',
    }),
    after: t.exposeString('after', {
      nullable: true,
      description: 'Value after the change, as text; long texts are truncated. Null if the field has no value.',
    }),
  }),
});

const StaffActionRef = builder.objectRef<RecordedStaffAction>('StaffAction');

builder.node(StaffActionRef, {
  description: 'A recorded action of a staff member. Staff only.',
  authScopes: { staff: true },
  id: { resolve: (action) => action.id, description: 'Global ID of the action.' },
  fields: (t) => ({
    actor: t.field({
      type: UserRef,
      nullable: true,
      description: 'User who performed the action. Null if a command of the shop or a content management system did.',
      resolve: (action, _args, ctx) => (action.actorId === null ? null : ctx.loaders.user.load(action.actorId)),
    }),
    kind: t.field({
      type: StaffActionKindRef,
      nullable: false,
      description: 'Kind of action.',
      resolve: (action) => (Object.hasOwn(kinds, action.kind) ? action.kind : 'OTHER'),
    }),
    subjectId: t.id({
      nullable: false,
      description: 'Global ID of the object of the action. The object may have been deleted since.',
      resolve: (action) => toGlobalId(action.subjectType, action.subjectId),
    }),
    subject: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'Object of the action in its current state. Null if the object was deleted.',
      resolve: (action, _args, ctx) => loadNode(ctx, toGlobalId(action.subjectType, action.subjectId)),
    }),
    changes: t.field({
      type: [FieldChangeRef],
      nullable: false,
      description: 'Changed fields. Empty if the action has no field-by-field record.',
      resolve: (action) => action.changes,
    }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'Note entered with the action. Null if there is none.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'Time of the action.' }),
  }),
});

registerNumbered('StaffAction');
registerNode('StaffAction', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const actions = new Map((await ctx.services.staff.byIds(ids)).map((action) => [action.id, action]));
  return ids.map((id) => actions.get(id) ?? null);
});

const StaffActionFilterRef = builder.inputType('StaffActionFilter', {
  description: 'Conditions for listing recorded actions. An action is listed if it meets all of them.',
  fields: (t) => ({
    actorId: t.id({ description: 'Lists only actions of this user.' }),
    subjectId: t.id({
      description:
        'Lists only actions on this object, for example a product, variant, category, order, user or webhook ' +
        'delivery.',
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

const StaffActionConnectionRef = connectionType(StaffActionRef, 'recorded actions');

// Decimal digits that fit a bigint.
const ofActions: CursorType = { list: 'staffActions', values: [cursorTypes.bigint] };

builder.queryField('staffActions', (t) =>
  t.field({
    type: StaffActionConnectionRef,
    nullable: true,
    description: 'Record of the actions of staff members, newest first. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: StaffActionFilterRef, description: 'Conditions that the actions must meet.' }),
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

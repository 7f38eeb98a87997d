import { EditConflictError } from '../../modules/edit-conflict.ts';
import { builder } from './builder.ts';
import { toGlobalId } from './global-id.ts';
import { loadNode } from './node.ts';
import { registerUserError, UserErrorRef } from './user-errors.ts';

registerUserError(EditConflictError, 'EditConflictError');
builder.objectType(EditConflictError, {
  name: 'EditConflictError',
  description:
    'The object was changed after the caller had read it: its `updatedAt` is not the `expectedUpdatedAt` of the ' +
    'input. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    subject: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'Object in its current state. Null if the object no longer exists.',
      resolve: ({ subject }, _args, ctx) => loadNode(ctx, toGlobalId(subject.type, subject.id)),
    }),
    expectedUpdatedAt: t.expose('expectedUpdatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change known to the caller.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change.',
    }),
  }),
});

/** The description of `expectedUpdatedAt` in the input of an update. */
export const EXPECTED_UPDATED_AT =
  '`updatedAt` of the version that the changes are based on. If the object has been changed since, the mutation fails ' +
  'with `EditConflictError`. If omitted, the changes apply to whichever version is current.';

import { comparableEmailAddress } from '../../config/email-address.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { inputId } from '../../graphql/global-id.ts';
import { registerNode } from '../../graphql/node.ts';
import { payloadType } from '../../graphql/payload.ts';
import { orErrors } from '../../graphql/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { isPlain } from '../input.ts';
import type { MailQuery, MailRecord } from './mail.service.ts';
import { mailStatuses, type MailStatus } from './mail.types.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

const MailStatusRef = builder.enumType('MailStatus', {
  description: 'What has become of a mail.',
  values: Object.fromEntries(
    Object.entries(mailStatuses).map(([status, description]) => [status, { description }]),
  ) as Record<MailStatus, { description: string }>,
});

const MailRef = builder.objectRef<MailRecord>('Mail');

builder.node(MailRef, {
  description: `A mail that the shop sends. What it says is not kept, since there are secrets in it: it is written when it is sent. Mails
are kept for 90 days. (staff)`,
  authScopes: { staff: true },
  id: { resolve: (mail) => mail.id, description: 'Names the mail.' },
  fields: (t) => ({
    template: t.exposeString('template', {
      nullable: false,
      description: 'What kind of mail it is, e.g. `order-placed`. New ones may appear.',
    }),
    recipient: t.exposeString('recipient', { nullable: false, description: 'The address that it goes to.' }),
    user: t.field({
      type: UserRef,
      nullable: true,
      description: 'The account that it is for, if it is for one.',
      resolve: (mail, _args, ctx) => (mail.userId === null ? null : ctx.loaders.user.load(mail.userId)),
    }),
    status: t.expose('status', { type: MailStatusRef, nullable: false, description: 'What has become of it.' }),
    attempts: t.exposeInt('attempts', {
      nullable: false,
      description: 'How often it was tried, since it was written or told to be sent again.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'What went wrong the last time; of what the server said, no links.',
    }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: false, description: 'It is not tried before.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was called for.' }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was sent, or given up; null while it is PENDING.',
    }),
  }),
});

registerNode('Mail', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const mails = new Map((await ctx.services.mails.byIds(ids)).map((mail) => [mail.id, mail]));
  return ids.map((id) => mails.get(id) ?? null);
});

const MailFilterRef = builder.inputType('MailFilter', {
  description: 'Which mails: those that meet all that is given.',
  fields: (t) => ({
    status: t.field({ type: MailStatusRef, description: 'Only those of which this has become.' }),
    recipient: t.string({ description: 'Only those to this address, the whole of it, whatever its capitals.' }),
  }),
});

const MailConnectionRef = connectionType(MailRef, 'mails');

const ofMails: CursorType = { list: 'mails', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('mails', (t) =>
  t.field({
    type: MailConnectionRef,
    nullable: true,
    description: 'The mails that the shop sends, and what became of them, the newest first. (staff)',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: MailFilterRef, description: 'Which mails.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx) => {
      const { mails } = ctx.services;
      const request = pageOf(args, ofMails);
      const { status, recipient } = filter ?? {};
      // Nothing was ever sent to what cannot be an address, and PostgreSQL takes no NUL.
      if (recipient != null && !isPlain(recipient)) {
        return toConnection<MailRecord>(
          { rows: [], hasNextPage: false, hasPreviousPage: false },
          ofMails,
          async () => 0,
        );
      }
      const query: MailQuery = {
        ...(status == null ? {} : { status }),
        ...(recipient == null ? {} : { recipient: comparableEmailAddress(recipient) }),
      };
      return toConnection(await mails.page(query, request), ofMails, () => mails.count(query));
    },
  }),
);

const MailRetryInputRef = builder.inputType('MailRetryInput', {
  description: 'A mail that failed, to be sent again. (staff)',
  fields: (t) => ({ id: t.id({ required: true, description: 'The mail.' }) }),
});

const MailRetryPayloadRef = payloadType<{ mail: MailRecord }>('MailRetryPayload', 'The mail that is sent again.');

builder.objectField(MailRetryPayloadRef, 'mail', (t) =>
  t.field({
    type: MailRef,
    nullable: true,
    description: 'The mail, which is PENDING again; null where it was refused.',
    resolve: (payload) => payload.mail ?? null,
  }),
);

builder.mutationField('mailRetry', (t) =>
  t.field({
    type: MailRetryPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: `Has a mail that failed sent again, at once and with all tries anew. One that did not fail is a CONFLICT: a second mail would
go out. (staff)`,
    authScopes: { staff: true },
    args: { input: t.arg({ type: MailRetryInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => ({
        mail: await ctx.services.mails.retry(inputId('Mail', input.id, ['id']), requireUser(ctx).userId),
      })),
  }),
);

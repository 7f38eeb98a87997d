import { comparableEmailAddress } from '../../config/email-address.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { isStaff, requireUser } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { isPlain } from '../input.ts';
import type { MailQuery, MailRecord } from './mail.service.ts';
import { mailStatuses, type MailStatus } from './mail.types.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

const MailStatusRef = builder.enumType('MailStatus', {
  description: 'Status of an email.',
  values: Object.fromEntries(
    Object.entries(mailStatuses).map(([status, description]) => [status, { description }]),
  ) as Record<MailStatus, { description: string }>,
});

const MailRef = builder.objectRef<MailRecord>('Mail');

builder.node(MailRef, {
  description:
    'An email sent by the shop. The content is written at the time of sending and is not stored, because it ' +
    'contains secrets. Records of emails are kept for 90 days. Staff only.',
  authScopes: { staff: true },
  id: { resolve: (mail) => mail.id, description: 'Global ID of the email.' },
  fields: (t) => ({
    template: t.exposeString('template', {
      nullable: false,
      description: 'Name of the template, for example `order-placed`. New templates may be added.',
    }),
    recipient: t.exposeString('recipient', { nullable: false, description: 'Email address of the recipient.' }),
    user: t.field({
      type: UserRef,
      nullable: true,
      description: 'User to whom the email is addressed. Null if the recipient has no account.',
      resolve: (mail, _args, ctx) => (mail.userId === null ? null : ctx.loaders.user.load(mail.userId)),
    }),
    status: t.expose('status', { type: MailStatusRef, nullable: false, description: 'Status of the email.' }),
    attempts: t.exposeInt('attempts', {
      nullable: false,
      description: 'Number of attempts to send the email since it was created or last retried by staff.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description:
        'Error of the last attempt, including the reply of the mail server without links. Null if no attempt has ' +
        'failed.',
    }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: false, description: 'Earliest time of the next attempt.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the email was created.',
    }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the email was sent, was skipped or failed. Null while the email is PENDING.',
    }),
  }),
});

registerNode('Mail', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const mails = new Map((await ctx.services.mails.byIds(ids)).map((mail) => [mail.id, mail]));
  return ids.map((id) => mails.get(id) ?? null);
});

const MailFilterRef = builder.inputType('MailFilter', {
  description: 'Conditions for listing emails. An email is listed if it meets all of them.',
  fields: (t) => ({
    status: t.field({ type: MailStatusRef, description: 'Lists only emails with this status.' }),
    recipient: t.string({
      description: 'Lists only emails to this address, which must match in full; case is ignored.',
    }),
  }),
});

const MailConnectionRef = connectionType(MailRef, 'emails');

const ofMails: CursorType = { list: 'mails', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('mails', (t) =>
  t.field({
    type: MailConnectionRef,
    nullable: true,
    description: 'Emails sent by the shop, newest first. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: MailFilterRef, description: 'Conditions that the emails must meet.' }),
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
  description: 'Input of `mailRetry`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the email.' }) }),
});

const MailRetryPayloadRef = payloadType<{ mail: MailRecord }>('MailRetryPayload', 'Result of `mailRetry`.');

builder.objectField(MailRetryPayloadRef, 'mail', (t) =>
  t.field({
    type: MailRef,
    nullable: true,
    description: 'Email to be sent again; its status is PENDING. Null if the mutation failed.',
    resolve: (payload) => payload.mail ?? null,
  }),
);

builder.mutationField('mailRetry', (t) =>
  t.field({
    type: MailRetryPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Sends a failed email again, immediately and with a full number of attempts. Fails with CONFLICT if the ' +
      'status is not FAILED, so that no email is sent twice. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: MailRetryInputRef, required: true, description: 'Email to send again.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => ({
        mail: await ctx.services.mails.retry(inputId('Mail', input.id, ['id']), requireUser(ctx).userId),
      })),
  }),
);

import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { written } from '../../graphql/schema/written.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { optionalNote, parseInput } from '../input.ts';

builder.objectFields(UserRef, (t) => ({
  taxExempt: t.boolean({
    nullable: false,
    description: 'Whether orders of the user are free of tax. Staff set it.',
    resolve: async ({ id }, _args, ctx) => (await ctx.loaders.taxExemption.load(id))?.taxExempt ?? false,
  }),
  taxExemptNote: t.string({
    nullable: true,
    description: 'Reason for the tax exemption, for example the number of a certificate. Null for anyone but staff.',
    resolve: async ({ id }, _args, ctx) =>
      isStaff(ctx.viewer) ? ((await ctx.loaders.taxExemption.load(id))?.taxExemptNote ?? null) : null,
  }),
}));

const UserTaxExemptionSetInputRef = builder.inputType('UserTaxExemptionSetInput', {
  description: 'Input of `userTaxExemptionSet`.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'Global ID of the user.' }),
    exempt: t.boolean({ required: true, description: 'Whether orders of the user are free of tax from now on.' }),
    note: t.string({ description: 'Reason, for example the number of a certificate. At most 1,000 characters.' }),
  }),
});

const UserTaxExemptionSetPayloadRef = payloadType<{ userId: string }>('UserTaxExemptionSetPayload');
builder.objectField(UserTaxExemptionSetPayloadRef, 'user', (t) =>
  t.field({
    type: UserRef,
    nullable: true,
    description: 'User after the mutation. Null if the mutation failed.',
    resolve: ({ userId }, _args, ctx) => (userId === undefined ? null : ctx.loaders.user.load(userId)),
  }),
);

const exemption = z.object({ exempt: z.boolean(), note: optionalNote });

builder.mutationField('userTaxExemptionSet', (t) =>
  t.field({
    type: UserTaxExemptionSetPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Sets whether a user is exempt from tax. Orders that were placed before keep their tax. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: UserTaxExemptionSetInputRef, required: true, description: 'User and exemption.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const userId = inputId('User', input.userId, ['userId']);
        const { exempt: taxExempt, note: taxExemptNote } = parseInput(exemption, input);
        await ctx.services.tax.setExemption(actorId, userId, { taxExempt, taxExemptNote });
        return { userId };
      }),
  }),
);

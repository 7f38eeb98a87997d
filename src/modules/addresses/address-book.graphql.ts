import { builder } from '../../graphql/schema/builder.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { requireUser } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { parseAddress } from './address.types.ts';
import { MAX_ADDRESSES, type UserAddress } from './address-book.service.ts';
import { AddressInputRef, AddressRef } from './addresses.refs.graphql.ts';

const UserAddressRef = builder.objectRef<UserAddress>('UserAddress');

builder.node(UserAddressRef, {
  description: 'An entry in the address book of a user. Visible to that user only.',
  id: { resolve: ({ id }) => id, description: 'Global ID of the entry.' },
  fields: (t) => ({
    address: t.field({
      type: AddressRef,
      nullable: false,
      description: 'Postal address.',
      resolve: (entry) => entry,
    }),
    isDefault: t.exposeBoolean('isDefault', {
      nullable: false,
      description: 'Whether this is the default address of the user. At most one address is.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'Time of creation.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('UserAddress', async (ids, ctx) => {
  const { user } = ctx.viewer;
  const own = user === null ? [] : await ctx.services.addressBook.list(user.userId);
  return ids.map((id) => own.find((address) => address.id === id) ?? null);
});

builder.objectField(UserRef, 'addresses', (t) =>
  t.field({
    type: [UserAddressRef],
    nullable: { list: true, items: false },
    description:
      `Address book: the default address first, then the others, newest first. At most ${MAX_ADDRESSES} addresses. ` +
      'Visible to the user only; null for anyone else.',
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id,
    resolve: (user, _args, ctx) => ctx.services.addressBook.list(user.id),
  }),
);

function addressPayload(name: string, description: string) {
  const ref = payloadType<{ address: UserAddress | null }>(name);
  builder.objectField(ref, 'address', (t) =>
    t.field({ type: UserAddressRef, nullable: true, description, resolve: ({ address }) => address ?? null }),
  );
  return ref;
}

const AddressCreateInputRef = builder.inputType('AddressCreateInput', {
  description: 'Input of `addressCreate`.',
  fields: (t) => ({
    address: t.field({ type: AddressInputRef, required: true, description: 'Address to add.' }),
    isDefault: t.boolean({
      defaultValue: false,
      description: 'Whether to make the address the default one. The first address becomes the default in any case.',
    }),
  }),
});

const AddressUpdateInputRef = builder.inputType('AddressUpdateInput', {
  description: 'Input of `addressUpdate`.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the entry.' }),
    address: t.field({
      type: AddressInputRef,
      required: true,
      description: 'New address, which replaces the old one as a whole.',
    }),
  }),
});

const AddressDeleteInputRef = builder.inputType('AddressDeleteInput', {
  description: 'Input of `addressDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the entry.' }) }),
});

const DefaultAddressSetInputRef = builder.inputType('DefaultAddressSetInput', {
  description: 'Input of `defaultAddressSet`.',
  fields: (t) => ({
    id: t.id({ description: 'Global ID of the entry. Null: the user has no default address any more.' }),
  }),
});

const AddressDeletePayloadRef = payloadType<{ deletedId: string }>('AddressDeletePayload');

builder.objectField(AddressDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted entry. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('UserAddress', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  addressCreate: t.field({
    type: addressPayload('AddressCreatePayload', 'New entry. Null if the mutation failed.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Adds an address to the address book of the user who is logged in.',
    args: { input: t.arg({ type: AddressCreateInputRef, required: true, description: 'Address to add.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        const address = parseAddress(input.address, ['address']);
        return { address: await ctx.services.addressBook.create(userId, address, input.isDefault === true) };
      });
    },
  }),

  addressUpdate: t.field({
    type: addressPayload('AddressUpdatePayload', 'Entry after the change. Null if the mutation failed.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Replaces an address in the address book. Carts and orders that used it keep theirs.',
    args: { input: t.arg({ type: AddressUpdateInputRef, required: true, description: 'Entry and new address.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        const id = inputId('UserAddress', input.id, ['id']);
        const address = parseAddress(input.address, ['address']);
        return { address: await ctx.services.addressBook.update(userId, id, address) };
      });
    },
  }),

  addressDelete: t.field({
    type: AddressDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Deletes an address from the address book. If it was the default address, there is no default address any more.',
    args: { input: t.arg({ type: AddressDeleteInputRef, required: true, description: 'Entry to delete.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        const deletedId = inputId('UserAddress', input.id, ['id']);
        await ctx.services.addressBook.delete(userId, deletedId);
        return { deletedId };
      });
    },
  }),

  defaultAddressSet: t.field({
    type: addressPayload('DefaultAddressSetPayload', 'New default address. Null if there is none.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Makes an address of the address book the default one, in place of any other.',
    args: { input: t.arg({ type: DefaultAddressSetInputRef, required: true, description: 'Entry to choose.' }) },
    resolve: (_root, { input }, ctx) => {
      const { userId } = requireUser(ctx);
      return orErrors(async () => {
        const id = input.id == null ? null : inputId('UserAddress', input.id, ['id']);
        return { address: await ctx.services.addressBook.setDefault(userId, id) };
      });
    },
  }),
}));

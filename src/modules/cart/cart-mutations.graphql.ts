import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { idOf, inputId } from '../../graphql/schema/global-id.ts';
import { renewLoaders } from '../../graphql/context/loaders.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { ownerOf, refuseReplacedCookie, shopperOf } from '../accounts/accounts.viewer.graphql.ts';
import { widerNetworks } from '../../infra/limits/networks.ts';
import { emailAddress, isPlain, parseInput } from '../input.ts';
import { InvalidInputError, refuseInput } from '../invalid-input.ts';
import { GenericError, LimitExceededError, Refusal, type UserError } from '../user-error.ts';
import { CartRef } from './cart.refs.graphql.ts';
import { NOT_FOR_SALE } from './cart.rules.ts';
import type { Cart, CartResult, Wanted } from './cart.service.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { addLimits, createLimits, emailLimits, reclaimLimits, updateLimits } from './cart.limits.graphql.ts';

const MAX_LINES_PER_CALL = 100;

/** The payload type of a mutation that gives the cart. */
export function cartPayload(name: string, description: string) {
  const ref = payloadType<{ cart: Cart }>(name, description);
  builder.objectField(ref, 'cart', (t) =>
    t.field({
      type: CartRef,
      nullable: true,
      description: 'Cart after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.cart ?? null,
    }),
  );
  return ref;
}

const CartLineInputRef = builder.inputType('CartLineInput', {
  description: 'A line to add. Specify the variant by either `variantId` or `sku`.',
  fields: (t) => ({
    variantId: t.id({ description: 'Global ID of the variant.' }),
    sku: t.string({ description: 'SKU of the variant.' }),
    quantity: t.int({ required: true, description: 'Number of units to add, at least 1.' }),
  }),
});

const CartLinesAddInputRef = builder.inputType('CartLinesAddInput', {
  description: 'Input of `cartLinesAdd`. Either all lines are added or none.',
  fields: (t) => ({
    lines: t.field({ type: [CartLineInputRef], required: true, description: 'Lines to add, at most 100.' }),
  }),
});

const CartLineUpdateInputRef = builder.inputType('CartLineUpdateInput', {
  description: 'A new quantity for a line.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the line.' }),
    quantity: t.int({ required: true, description: 'New number of units. 0 removes the line.' }),
  }),
});

const CartLinesUpdateInputRef = builder.inputType('CartLinesUpdateInput', {
  description: 'Input of `cartLinesUpdate`. Either all lines are updated or none.',
  fields: (t) => ({
    lines: t.field({ type: [CartLineUpdateInputRef], required: true, description: 'Lines to update, at most 100.' }),
  }),
});

const CartLinesRemoveInputRef = builder.inputType('CartLinesRemoveInput', {
  description: 'Input of `cartLinesRemove`. Either all lines are removed or none.',
  fields: (t) => ({
    ids: t.idList({ required: true, description: 'Global IDs of the lines to remove, at most 100.' }),
  }),
});

const CartReclaimInputRef = builder.inputType('CartReclaimInput', {
  description: 'Input of `cartReclaim`.',
  fields: (t) => ({ cartId: t.id({ required: true, description: 'Global ID of the expired cart.' }) }),
});

const CartEmailSetInputRef = builder.inputType('CartEmailSetInput', {
  description: 'Input of `cartEmailSet`.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Email address that receives notices about the cart.' }),
  }),
});

/** The payload of a command; a guest that it made is the viewer from now on, and gets the cookie. */
export async function carry(
  ctx: Context,
  command: () => Promise<CartResult>,
): Promise<{ cart?: Cart; errors: readonly UserError[] }> {
  return orErrors(async () => {
    refuseReplacedCookie(ctx);
    const { cart, guest, notices, variants = [] } = await command();
    renewLoaders(ctx);
    for (const variant of variants) ctx.loaders.variant.prime(variant.id, variant);
    if (guest !== null) {
      ctx.viewer.guest = { ...guest, knownBy: 'creation', isNew: false, former: null };
      ctx.cookies.setCart(guest.token);
    }
    return { cart, errors: notices };
  });
}

/** From where the caller comes, as far as networks are limited. */
function networksOf({ throttle, clientAddress }: Context): string[] {
  return throttle === null ? [] : [clientAddress, ...widerNetworks(clientAddress).map(({ network }) => network)];
}

function checkCount(count: number, field: string): void {
  if (count === 0) refuseInput('REQUIRED', `${field} must not be empty.`, [field]);
  if (count > MAX_LINES_PER_CALL) {
    const message = `A call accepts at most ${MAX_LINES_PER_CALL} lines.`;
    throw new Refusal(new LimitExceededError({ message, path: [field], limit: MAX_LINES_PER_CALL, requested: count }));
  }
}

type LineInput = typeof CartLineInputRef.$inferInput;

/** What the lines ask for, or a refusal with every fault in them. SKUs are looked up together. */
async function wantedOf(ctx: Context, lines: readonly LineInput[]): Promise<Wanted[]> {
  checkCount(lines.length, 'lines');
  const skus = [...new Set(lines.flatMap(({ sku }) => (sku != null && isPlain(sku) ? [sku] : [])))];
  const bySku = skus.length === 0 ? new Map<string, string>() : await ctx.services.catalog.variantIdsBySkus(skus);
  const errors: UserError[] = [];
  const wanted = lines.flatMap(({ variantId, sku, quantity }, index): Wanted[] => {
    const path = ['lines', String(index)];
    if (quantity < 1) {
      errors.push(
        new InvalidInputError('TOO_SMALL', 'quantity must be at least 1.', [...path, 'quantity'], { min: 1 }),
      );
    }
    if ((variantId == null) === (sku == null)) {
      const message = 'Specify the variant by either variantId or sku.';
      errors.push(new InvalidInputError('EITHER_OR', message, path, { fields: 'variantId,sku' }));
      return [];
    }
    const variantPath = [...path, sku == null ? 'variantId' : 'sku'];
    const id = sku == null ? idOf('ProductVariant', variantId ?? '') : bySku.get(sku);
    if (id == null) {
      const error =
        sku == null
          ? new InvalidInputError(
              'ID_INVALID',
              'This is not the global ID of an object of type ProductVariant.',
              variantPath,
              {
                type: 'ProductVariant',
              },
            )
          : new GenericError('NOT_FOUND', NOT_FOR_SALE, variantPath);
      errors.push(error);
      return [];
    }
    return [{ variantId: id, quantity, variantPath, quantityPath: [...path, 'quantity'] }];
  });
  if (errors.length > 0) throw new Refusal(...errors);
  return wanted;
}

/** Refuses a list that names a line twice: which of the two was meant? */
function checkDistinct(ids: readonly string[], pathOf: (index: number) => string[]): void {
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) refuseInput('NAMED_TWICE', 'The line appears twice.', pathOf(twice));
}

builder.mutationFields((t) => ({
  cartCreate: t.field({
    type: cartPayload('CartCreatePayload', 'Result of `cartCreate`.'),
    nullable: true,
    extensions: createLimits,
    description:
      "Returns the viewer's active cart, or creates an empty one. For a visitor without a guest token, creates " +
      'the guest, too.',
    resolve: (_root, _args, ctx) => carry(ctx, () => ctx.services.cart.create(shopperOf(ctx.viewer))),
  }),

  cartLinesAdd: t.field({
    type: cartPayload('CartLinesAddPayload', 'Result of `cartLinesAdd`.'),
    nullable: true,
    extensions: addLimits,
    description:
      "Adds units to the viewer's cart and holds them until the cart expires. Either all lines are added or " +
      'none. If the cart has expired, starts a new one.',
    args: { input: t.arg({ type: CartLinesAddInputRef, required: true, description: 'Lines to add.' }) },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () =>
        ctx.services.cart.addLines(shopperOf(ctx.viewer), await wantedOf(ctx, input.lines), networksOf(ctx)),
      ),
  }),

  cartLinesUpdate: t.field({
    type: cartPayload('CartLinesUpdatePayload', 'Result of `cartLinesUpdate`.'),
    nullable: true,
    extensions: updateLimits,
    description:
      'Sets the quantities of lines, holding additional units or releasing surplus ones. Either all lines are ' +
      'updated or none.',
    args: {
      input: t.arg({ type: CartLinesUpdateInputRef, required: true, description: 'Lines and their new quantities.' }),
    },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        checkCount(input.lines.length, 'lines');
        const updates = input.lines.map(({ id, quantity }, index) => {
          const idPath = ['lines', String(index), 'id'];
          const quantityPath = ['lines', String(index), 'quantity'];
          if (quantity < 0) refuseInput('TOO_SMALL', 'quantity must not be negative.', quantityPath, { min: 0 });
          return { id: inputId('CartLine', id, idPath), quantity, idPath, quantityPath };
        });
        checkDistinct(
          updates.map((update) => update.id),
          (index) => ['lines', String(index), 'id'],
        );
        return ctx.services.cart.updateLines(ownerOf(ctx.viewer), updates, networksOf(ctx));
      }),
  }),

  cartLinesRemove: t.field({
    type: cartPayload('CartLinesRemovePayload', 'Result of `cartLinesRemove`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: "Removes lines from the viewer's cart and releases their units.",
    args: { input: t.arg({ type: CartLinesRemoveInputRef, required: true, description: 'Lines to remove.' }) },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        checkCount(input.ids.length, 'ids');
        const ids = input.ids.map((id, index) => inputId('CartLine', id, ['ids', String(index)]));
        const updates = [...new Set(ids)].map((id) => {
          const idPath = ['ids', String(ids.indexOf(id))];
          return { id, quantity: 0, idPath, quantityPath: idPath };
        });
        return ctx.services.cart.updateLines(ownerOf(ctx.viewer), updates);
      }),
  }),

  cartReclaim: t.field({
    type: cartPayload(
      'CartReclaimPayload',
      'Result of `cartReclaim`. Each line that could not be held again in full has an entry in `errors`; all ' +
        'other lines are in `cart`.',
    ),
    nullable: true,
    extensions: reclaimLimits,
    description:
      'Holds the units of an expired cart again, as far as they are available, at current prices. If the viewer ' +
      'has started another cart since, the lines are added to that one.',
    args: { input: t.arg({ type: CartReclaimInputRef, required: true, description: 'Cart to reclaim.' }) },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        const path = ['cartId'];
        return ctx.services.cart.reclaim(
          ownerOf(ctx.viewer),
          inputId('Cart', input.cartId, path),
          path,
          networksOf(ctx),
        );
      }),
  }),

  cartEmailSet: t.field({
    type: cartPayload('CartEmailSetPayload', 'Result of `cartEmailSet`.'),
    nullable: true,
    extensions: emailLimits,
    description: "Sets the email address that receives notices about the viewer's active cart.",
    args: { input: t.arg({ type: CartEmailSetInputRef, required: true, description: 'Email address for notices.' }) },
    resolve: (_root, { input }, ctx) =>
      carry(ctx, async () => {
        const { email } = parseInput(z.object({ email: emailAddress }), input);
        return ctx.services.cart.setEmail(ownerOf(ctx.viewer), email);
      }),
  }),
}));

import { InsufficientStockError, StockConflictError } from '../modules/inventory/inventory.errors.ts';
import { InvalidTransitionError, TotalChangedError } from '../modules/orders/order.errors.ts';
import { OrderStatusRef } from '../modules/orders/orders.refs.graphql.ts';
import { InvalidInputError, invalidInputReasons, type InvalidInputReason } from '../modules/invalid-input.ts';
import { errorCodes, LimitExceededError, Refusal, type UserError } from '../modules/user-error.ts';
import { ProductVariantRef } from '../modules/catalog/catalog.refs.graphql.ts';
import { builder } from './builder.ts';
import { MoneyRef } from './money.ts';

const ErrorCodeRef = builder.enumType('ErrorCode', {
  description: 'Why a mutation did not do what was asked. New codes may appear.',
  values: Object.fromEntries(Object.entries(errorCodes).map(([code, description]) => [code, { description }])),
});

const InvalidInputReasonRef = builder.enumType('InvalidInputReason', {
  description: 'Why a value in the input cannot be accepted. New reasons may appear.',
  values: Object.fromEntries(
    Object.entries(invalidInputReasons).map(([reason, description]) => [reason, { description }]),
  ) as Record<InvalidInputReason, { description: string }>,
});

const ErrorParameterRef = builder.objectRef<{ name: string; value: string }>('ErrorParameter').implement({
  description: 'A value that a message about an error needs.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Its name, as the reason describes it.' }),
    value: t.exposeString('value', { nullable: false, description: 'The value, as text.' }),
  }),
});

/** The interface that every expected fault has. */
export const UserErrorRef = builder.interfaceRef<UserError>('UserError').implement({
  description: `Why a mutation did not do what was asked. Concrete types carry what a client needs to react.
New codes and types may appear: always select \`code message\` on the interface.`,
  resolveType: (error) => {
    if (error instanceof InsufficientStockError) return 'InsufficientStockError';
    if (error instanceof InvalidTransitionError) return 'InvalidTransitionError';
    if (error instanceof StockConflictError) return 'StockConflictError';
    if (error instanceof LimitExceededError) return 'LimitExceededError';
    if (error instanceof TotalChangedError) return 'TotalChangedError';
    return 'GenericError';
  },
  fields: (t) => ({
    code: t.field({
      type: ErrorCodeRef,
      nullable: false,
      description: 'Stable, machine-readable.',
      resolve: (error) => error.code,
    }),
    message: t.exposeString('message', { nullable: false, description: 'For people, in English.' }),
    reason: t.field({
      type: InvalidInputReasonRef,
      nullable: true,
      description: 'Why the input cannot be accepted, with INVALID_INPUT; null with every other code.',
      resolve: (error) => (error instanceof InvalidInputError ? error.reason : null),
    }),
    parameters: t.field({
      type: [ErrorParameterRef],
      nullable: false,
      description: 'The values that a message about `reason` needs, for clients that write their own; else empty.',
      resolve: (error) =>
        error instanceof InvalidInputError
          ? Object.entries(error.parameters).map(([name, value]) => ({ name, value: String(value) }))
          : [],
    }),
    path: t.stringList({
      nullable: true,
      description:
        'Where in `input` the fault lies, e.g. `["lines", "0", "quantity"]`; null when it is not about one field.',
      resolve: (error) => (error.path === null ? null : [...error.path]),
    }),
  }),
});

const GenericErrorRef = builder.objectRef<UserError>('GenericError');
builder.objectType(GenericErrorRef, {
  description: 'Every fault that has no type of its own.',
  interfaces: [UserErrorRef],
});

builder.objectType(InsufficientStockError, {
  name: 'InsufficientStockError',
  description: 'When fewer units are free than were asked for.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant of which there are too few units.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    requested: t.exposeInt('requested', {
      nullable: false,
      description: 'Units asked for, beyond those that the cart held already.',
    }),
    available: t.exposeInt('available', { nullable: false, description: 'Units that were free at that moment.' }),
  }),
});

builder.objectType(StockConflictError, {
  name: 'StockConflictError',
  description: 'When stock is not what the caller last saw. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant whose stock it is.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    expectedOnHand: t.exposeInt('expectedOnHand', { nullable: false, description: 'Units that the caller expected.' }),
    onHand: t.exposeInt('onHand', { nullable: false, description: 'Units that were on hand at that moment.' }),
  }),
});

builder.objectType(LimitExceededError, {
  name: 'LimitExceededError',
  description: 'When more is asked for than the shop allows in one line, cart or call.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'The most that is allowed.' }),
    requested: t.exposeInt('requested', { nullable: false, description: 'What it would have come to.' }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'The variant, where it is about one.',
      resolve: (error, _args, ctx) => (error.variantId === null ? null : ctx.loaders.variant.load(error.variantId)),
    }),
  }),
});

builder.objectType(TotalChangedError, {
  name: 'TotalChangedError',
  description: 'When the total is not the one that the caller expected. Nothing was bought.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    expected: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What the caller expected.',
      resolve: (error) => error.expected,
    }),
    actual: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'What it comes to.',
      resolve: (error) => error.actual,
    }),
  }),
});

builder.objectType(InvalidTransitionError, {
  name: 'InvalidTransitionError',
  description: 'When an order does not go from that status to this one. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    from: t.expose('from', { type: OrderStatusRef, nullable: false, description: 'The status that the order has.' }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'The one that was asked for.' }),
  }),
});

/** A payload of a use case that was refused: no result, the errors as data. Anything else is thrown on. */
export async function orErrors<T extends object>(
  useCase: () => Promise<T>,
): Promise<(T & { errors: readonly UserError[] }) | { errors: readonly UserError[] }> {
  try {
    return { errors: [], ...(await useCase()) };
  } catch (error) {
    if (error instanceof Refusal) return { errors: error.errors };
    throw error;
  }
}

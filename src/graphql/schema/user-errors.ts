import { InsufficientStockError, StockConflictError } from '../../modules/inventory/inventory.errors.ts';
import { InvalidTransitionError, TotalChangedError } from '../../modules/orders/order.errors.ts';
import { OrderStatusRef } from '../../modules/orders/orders.refs.graphql.ts';
import { InvalidInputError, invalidInputReasons, type InvalidInputReason } from '../../modules/invalid-input.ts';
import { errorCodes, LimitExceededError, Refusal, type UserError } from '../../modules/user-error.ts';
import { ProductVariantRef } from '../../modules/catalog/catalog.refs.graphql.ts';
import { builder } from './builder.ts';
import { MoneyRef } from './money.ts';

const ErrorCodeRef = builder.enumType('ErrorCode', {
  description: 'Code of an expected error. New codes may be added.',
  values: Object.fromEntries(Object.entries(errorCodes).map(([code, description]) => [code, { description }])),
});

const InvalidInputReasonRef = builder.enumType('InvalidInputReason', {
  description: 'Reason why a value in the input is invalid. New reasons may be added.',
  values: Object.fromEntries(
    Object.entries(invalidInputReasons).map(([reason, description]) => [reason, { description }]),
  ) as Record<InvalidInputReason, { description: string }>,
});

const ErrorParameterRef = builder.objectRef<{ name: string; value: string }>('ErrorParameter').implement({
  description: 'A value for use in an error message.',
  fields: (t) => ({
    name: t.exposeString('name', {
      nullable: false,
      description: 'Name of the parameter, as listed in the description of the reason.',
    }),
    value: t.exposeString('value', { nullable: false, description: 'Value of the parameter, as text.' }),
  }),
});

/** The interface that every expected fault has. */
export const UserErrorRef = builder.interfaceRef<UserError>('UserError').implement({
  description:
    'An expected error of a mutation. The concrete types have additional fields. New codes and types may be ' +
    'added, so always select `code` and `message` of the interface.',
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
      description: 'Machine-readable code. Codes never change their meaning.',
      resolve: (error) => error.code,
    }),
    message: t.exposeString('message', { nullable: false, description: 'Human-readable message in English.' }),
    reason: t.field({
      type: InvalidInputReasonRef,
      nullable: true,
      description: 'Reason why the input is invalid. Null unless `code` is INVALID_INPUT.',
      resolve: (error) => (error instanceof InvalidInputError ? error.reason : null),
    }),
    parameters: t.field({
      type: [ErrorParameterRef],
      nullable: false,
      description: 'Parameters of `reason`, for clients that write their own messages. Empty if there are none.',
      resolve: (error) =>
        error instanceof InvalidInputError
          ? Object.entries(error.parameters).map(([name, value]) => ({ name, value: String(value) }))
          : [],
    }),
    path: t.stringList({
      nullable: true,
      description:
        'Path of the invalid field in `input`, for example `["lines", "0", "quantity"]`. Null if the error does ' +
        'not concern a single field.',
      resolve: (error) => (error.path === null ? null : [...error.path]),
    }),
  }),
});

const GenericErrorRef = builder.objectRef<UserError>('GenericError');
builder.objectType(GenericErrorRef, {
  description: 'An error without additional fields.',
  interfaces: [UserErrorRef],
});

builder.objectType(InsufficientStockError, {
  name: 'InsufficientStockError',
  description: 'Fewer units are available than requested.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant of which too few units are available. Null if the variant no longer exists.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    requested: t.exposeInt('requested', {
      nullable: false,
      description: 'Number of units requested, in addition to those that the cart already held.',
    }),
    available: t.exposeInt('available', { nullable: false, description: 'Number of units available at that time.' }),
  }),
});

builder.objectType(StockConflictError, {
  name: 'StockConflictError',
  description: 'The stock is not what the caller expected. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant whose stock was to be set. Null if the variant no longer exists.',
      resolve: (error, _args, ctx) => ctx.loaders.variant.load(error.variantId),
    }),
    expectedOnHand: t.exposeInt('expectedOnHand', {
      nullable: false,
      description: 'Number of units on hand expected by the caller.',
    }),
    onHand: t.exposeInt('onHand', { nullable: false, description: 'Actual number of units on hand at that time.' }),
  }),
});

builder.objectType(LimitExceededError, {
  name: 'LimitExceededError',
  description:
    'The request exceeds a limit of the shop, such as the maximum number of units per line or lines per cart.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: false, description: 'Highest value allowed.' }),
    requested: t.exposeInt('requested', { nullable: false, description: 'Value that would have resulted.' }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant that the limit applies to. Null if the limit does not apply to a variant.',
      resolve: (error, _args, ctx) => (error.variantId === null ? null : ctx.loaders.variant.load(error.variantId)),
    }),
  }),
});

builder.objectType(TotalChangedError, {
  name: 'TotalChangedError',
  description: 'The total is not what the caller expected. Nothing was bought.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    expected: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Total expected by the caller.',
      resolve: (error) => error.expected,
    }),
    actual: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Actual total of the cart.',
      resolve: (error) => error.actual,
    }),
  }),
});

builder.objectType(InvalidTransitionError, {
  name: 'InvalidTransitionError',
  description: 'The order cannot change from its current status to the requested one. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    from: t.expose('from', { type: OrderStatusRef, nullable: false, description: 'Current status of the order.' }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'Requested status.' }),
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

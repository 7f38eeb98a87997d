import { InvalidInputError, invalidInputReasons, type InvalidInputReason } from '../../modules/invalid-input.ts';
import { errorCodes, Refusal, type UserError } from '../../modules/user-error.ts';
import { builder } from './builder.ts';

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

/** The concrete types by the class of their errors. An error of no such class is a `GenericError`. */
const typenames = new Map<unknown, string>();

/** The interface that every expected fault has. */
export const UserErrorRef = builder.interfaceRef<UserError>('UserError').implement({
  description:
    'An expected error of a mutation. The concrete types have additional fields. New codes and types may be ' +
    'added, so always select `code` and `message` of the interface.',
  resolveType: (error) => typenames.get(error.constructor) ?? 'GenericError',
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
      description: 'Reason why the input is invalid. Null unless `code` is INVALID_INPUT or ADDRESS_INVALID.',
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

/**
 * Says which type of the API an error of a class has. The type implements `UserErrorRef`, and is defined beside the noun that
 * the error is about.
 */
export function registerUserError(errorClass: abstract new (...args: never) => UserError, typename: string): void {
  typenames.set(errorClass, typename);
}

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

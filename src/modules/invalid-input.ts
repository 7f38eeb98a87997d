import { Refusal, UserError, type InputPath } from './user-error.ts';

/** Why a value in the input cannot be accepted, each with the parameters that it has. Described as the API shows it. */
export const invalidInputReasons = {
  REQUIRED: 'The value is missing or empty.',
  TOO_SHORT: 'The text is too short. Parameter `min`: the fewest characters that it may have.',
  TOO_LONG: 'The text is too long. Parameter `max`: the most characters that it may have.',
  TOO_FEW: 'The list is too short. Parameter `min`: the fewest entries that it may have.',
  TOO_MANY: 'The list is too long. Parameter `max`: the most entries that it may have.',
  TOO_SMALL: 'The number is too small. Parameter `min`: the smallest that is accepted.',
  TOO_LARGE: 'The number is too large. Parameter `max`: the largest that is accepted.',
  ZERO: 'The number is 0, which would change nothing.',
  TOO_MANY_DECIMALS:
    'The amount has more decimals than its currency. Parameters `currencyCode`, and `max`: the decimals of the currency.',
  CONTROL_CHARACTERS: 'The text has control characters, or line breaks where it must be one line.',
  CANNOT_BE_CLEARED: 'The value is null, and the field must keep one.',
  MALFORMED: 'The value has another form than the field needs.',
  ID_INVALID: 'The value is not the ID of such an object. Parameter `type`: the type whose ID is needed.',
  EMAIL_INVALID: 'The text is not an e-mail address.',
  EMAIL_NOT_ASCII: 'The part of the e-mail address before the @ has other characters than those of ASCII.',
  PASSWORD_COMMON: 'The password is one of those that are tried first.',
  SLUG_INVALID:
    'The text is not a slug: lower-case letters and digits with single dashes. Parameter `max`: the most characters.',
  URL_INVALID: 'The text is not an absolute http or https URL, nor the path of a picture of the shop.',
  COUNTRY_INVALID: 'The text is not a country code of ISO 3166-1 alpha-2.',
  NAMED_TWICE: 'The list names the same thing twice.',
  EITHER_OR: 'Exactly one of several fields must be given. Parameter `fields`: their names, separated by commas.',
  OPTIONS_REQUIRED: 'The variant needs options that distinguish it from the others of its product.',
  OPTIONS_DIFFER:
    'The variant has other options than the others of its product. Parameter `options`: theirs, in their order, as a list in JSON.',
} as const;

export type InvalidInputReason = keyof typeof invalidInputReasons;

/** Values that a message in any language needs, by name. */
export type ErrorParameters = Readonly<Record<string, string | number>>;

/** Something in the input cannot be accepted as it is. Reason and parameters let a client say so in its own words. */
export class InvalidInputError extends UserError {
  readonly reason: InvalidInputReason;
  readonly parameters: ErrorParameters;

  /** @param parameters those that the reason names */
  constructor(
    reason: InvalidInputReason,
    message: string,
    path: InputPath | null = null,
    parameters: ErrorParameters = {},
  ) {
    super('INVALID_INPUT', message, path);
    this.reason = reason;
    this.parameters = parameters;
  }
}

/** Refuses an input with one fault; the arguments are those of `InvalidInputError`. */
export function refuseInput(...fault: ConstructorParameters<typeof InvalidInputError>): never {
  throw new Refusal(new InvalidInputError(...fault));
}

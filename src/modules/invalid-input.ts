import { Refusal, UserError, type InputPath } from './user-error.ts';

/** Why a value in the input cannot be accepted, each with the parameters that it has. Described as the API shows it. */
export const invalidInputReasons = {
  REQUIRED: 'The value is missing or empty.',
  TOO_SHORT: 'The text is too short. Parameter `min`: minimum number of characters.',
  TOO_LONG: 'The text is too long. Parameter `max`: maximum number of characters.',
  TOO_FEW: 'The list is too short. Parameter `min`: minimum number of entries.',
  TOO_MANY: 'The list is too long. Parameter `max`: maximum number of entries.',
  TOO_SMALL:
    'The number is too small. Parameter `min`: smallest number allowed; for an amount of money, in units of the shop currency, as `Money.amount`.',
  TOO_LARGE:
    'The number is too large. Parameter `max`: largest number allowed; for an amount of money, in units of the shop currency, as `Money.amount`.',
  ZERO: 'The number is 0, which would change nothing.',
  TOO_MANY_DECIMALS:
    'The amount has more decimal places than its currency. Parameters `currencyCode`, and `max`: number of decimal places of the currency.',
  CONTROL_CHARACTERS: 'The text contains control characters, or line breaks in a field of one line.',
  CANNOT_BE_CLEARED: 'The value is null, but the field cannot be cleared.',
  MALFORMED: 'The value does not have the format that the field requires.',
  ID_INVALID: 'The value is not a global ID of the required type. Parameter `type`: name of that type.',
  EMAIL_INVALID: 'The text is not an email address.',
  EMAIL_NOT_ASCII: 'The part of the email address before the @ contains characters outside ASCII.',
  PASSWORD_COMMON: 'The password is one of the most commonly used ones.',
  SLUG_INVALID:
    'The text is not a slug: lowercase letters and digits separated by single hyphens. Parameter `max`: maximum number of characters.',
  URL_INVALID: 'The text is neither an absolute http or https URL nor the path of an image of this shop.',
  COUNTRY_INVALID: 'The text is not an ISO 3166-1 alpha-2 country code.',
  REGION_INVALID: 'The text is not a region of the country. Parameter `countryCode`: country of the address.',
  POSTAL_CODE_INVALID: 'The text is not a postal code of the country. Parameter `countryCode`: country of the address.',
  NAMED_TWICE: 'The list contains the same entry twice.',
  EITHER_OR:
    'Exactly one of several fields must be given. Parameter `fields`: names of the fields, separated by commas.',
  NOT_APPLICABLE: 'The field cannot be set together with the values of other fields.',
  END_NOT_AFTER_START: 'The end of a period is not later than its start.',
  OPTIONS_REQUIRED: 'The variant needs options that distinguish it from the other variants of its product.',
  OPTIONS_DIFFER:
    'The variant does not have the same options as the other variants of its product. Parameter `options`: JSON list of their option names, in order.',
} as const;

export type InvalidInputReason = keyof typeof invalidInputReasons;

/** Codes of errors that have a reason. */
export type InvalidInputCode = 'INVALID_INPUT' | 'ADDRESS_INVALID';

/** Values that a message in any language needs, by name. */
export type ErrorParameters = Readonly<Record<string, string | number>>;

/** Something in the input cannot be accepted as it is. Reason and parameters let a client say so in its own words. */
export class InvalidInputError extends UserError {
  readonly reason: InvalidInputReason;
  readonly parameters: ErrorParameters;

  /**
   * @param parameters those that the reason names
   * @param code ADDRESS_INVALID for what the country of an address does not allow
   */
  constructor(
    reason: InvalidInputReason,
    message: string,
    path: InputPath | null = null,
    parameters: ErrorParameters = {},
    code: InvalidInputCode = 'INVALID_INPUT',
  ) {
    super(code, message, path);
    this.reason = reason;
    this.parameters = parameters;
  }
}

/** Refuses an input with one fault; the arguments are those of `InvalidInputError`. */
export function refuseInput(...fault: ConstructorParameters<typeof InvalidInputError>): never {
  throw new Refusal(new InvalidInputError(...fault));
}

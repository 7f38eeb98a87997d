/** Every code of an expected fault, as the API names it. */
export const errorCodes = {
  INVALID_INPUT: 'Something in the input cannot be accepted as it is.',
  NOT_FOUND: 'It is not there, or not for the caller to see.',
  CONFLICT: 'It does not go together with what is there already.',
  EMAIL_TAKEN: 'There is an account with this address.',
  INVALID_CREDENTIALS: 'Address and password do not belong together.',
  TOKEN_INVALID: 'The token is not valid, or not any more.',
  INSUFFICIENT_STOCK: 'Fewer units are free than were asked for.',
  STOCK_CONFLICT: 'Stock is not what the caller last saw.',
  CART_EXPIRED: "The cart's time ran out; its units went back to stock.",
  CART_EMPTY: 'There is nothing in the cart.',
  LIMIT_EXCEEDED: 'More than the shop allows.',
  TOTAL_CHANGED: 'The total is not the one that the caller expected.',
  IDEMPOTENCY_KEY_REUSED: 'The key was used before, for something else.',
  INVALID_TRANSITION: 'The order does not go from its status to that one.',
  UNAVAILABLE: 'Something that it takes is away for the moment: try again later.',
  ALREADY_IN_STOCK: 'There is nothing to wait for: it can be bought now.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Where in a mutation's `input` a fault lies. */
export type InputPath = readonly string[];

/** An expected fault: data for the client, not an accident. Subclasses carry what the client needs to react. */
export class UserError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Null when it is not about one field. */
  readonly path: InputPath | null;

  constructor(code: ErrorCode, message: string, path: InputPath | null = null) {
    this.code = code;
    this.message = message;
    this.path = path;
  }
}

/** A fault that needs no data beyond its message. What is wrong with an input has a reason: see `InvalidInputError`. */
export class GenericError extends UserError {
  constructor(code: GenericCode, message: string, path: InputPath | null = null) {
    super(code, message, path);
  }
}

type GenericCode = Exclude<ErrorCode, 'INVALID_INPUT'>;

/** More than the shop allows in one line, cart or call. */
export class LimitExceededError extends UserError {
  readonly limit: number;
  readonly requested: number;
  readonly variantId: string | null;

  constructor(fault: {
    message: string;
    path: InputPath | null;
    limit: number;
    requested: number;
    variantId?: string;
  }) {
    super('LIMIT_EXCEEDED', fault.message, fault.path);
    this.limit = fault.limit;
    this.requested = Math.min(fault.requested, 2 ** 31 - 1);
    this.variantId = fault.variantId ?? null;
  }
}

/** Thrown by a use case that does not do what was asked: the transaction rolls back, the caller gets the errors as data. */
export class Refusal extends Error {
  readonly errors: readonly UserError[];

  constructor(...errors: UserError[]) {
    super(errors.map((error) => `${error.code}: ${error.message}`).join('; '));
    this.name = 'Refusal';
    this.errors = errors;
  }
}

/** Refuses with a fault that has no type of its own. */
export function refuse(code: GenericCode, message: string, path: InputPath | null = null): never {
  throw new Refusal(new GenericError(code, message, path));
}

/** Every code of an expected fault, as the API names it. */
export const errorCodes = {
  INVALID_INPUT: 'The input is invalid; see `reason`.',
  NOT_FOUND: 'The object does not exist, or the caller may not see it.',
  CONFLICT: 'The request conflicts with existing data.',
  EMAIL_TAKEN: 'An account with this email address exists already.',
  INVALID_CREDENTIALS: 'The email address or the password is wrong.',
  TOKEN_INVALID: 'The token is invalid or has expired.',
  INSUFFICIENT_STOCK: 'Fewer units are available than requested. See `InsufficientStockError`.',
  EDIT_CONFLICT: 'The object was changed after the caller had read it. See `EditConflictError`.',
  STOCK_CONFLICT: 'The stock is not what the caller expected. See `StockConflictError`.',
  CART_EXPIRED: 'The cart has expired, and its units return to stock. Call `cartReclaim` to hold them again.',
  CART_EMPTY: 'The cart is empty.',
  LIMIT_EXCEEDED: 'The request exceeds a limit of the shop. See `LimitExceededError`.',
  TOTAL_CHANGED: 'The total is not what the caller expected. See `TotalChangedError`.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used before with a different input.',
  INVALID_TRANSITION: 'The order cannot change to the requested status. See `InvalidTransitionError`.',
  UNAVAILABLE: 'A service that the request needs is temporarily unavailable. Retry later.',
  PAYMENT_IN_PROGRESS: 'A payment for the cart is in progress, during which the cart cannot be changed.',
  PAYMENT_REQUIRED:
    'The cart must be paid for with `paymentStart`, because the shop does not offer payment outside of it.',
  PAYMENT_REFUSED: 'The payment provider refused the request; see `message`.',
  DISCOUNT_LIMIT_REACHED: 'A discount code has been used as often as its promotion allows, or its budget is spent.',
  SHIPPING_ADDRESS_REQUIRED: 'The cart contains items that are shipped, and there is no shipping address.',
  SHIPPING_METHOD_REQUIRED: 'Several shipping methods are available, and none is chosen.',
  SHIPPING_METHOD_UNAVAILABLE: 'The chosen shipping method is not available for this cart and address, or none is.',
  ALREADY_IN_STOCK: 'The variant is available now, so there is nothing to wait for.',
  ADDRESS_INVALID: 'The postal address breaks a rule of its country; see `reason`.',
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

type GenericCode = Exclude<ErrorCode, 'INVALID_INPUT' | 'ADDRESS_INVALID'>;

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

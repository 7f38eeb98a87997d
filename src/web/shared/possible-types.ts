/**
 * The types of each interface that documents have fragments on. Without it the cache guesses by the fields that a type has. A test
 * compares it with the schema.
 */
export const possibleTypes = {
  UserError: [
    'EditConflictError',
    'GenericError',
    'InsufficientStockError',
    'InvalidTransitionError',
    'LimitExceededError',
    'StockConflictError',
    'TotalChangedError',
  ],
};

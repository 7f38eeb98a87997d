import { GraphQLError } from 'graphql';

/** Faults of the request itself, as `extensions.code` of a top-level error names them. */
export type RequestErrorCode =
  | 'BAD_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'TOO_COSTLY'
  | 'CURSOR_EXPIRED'
  | 'LAGGED'
  | 'UNAVAILABLE';

/** HTTP status where the whole request fails with the code; elsewhere the rest of the answer stands and it is 200. */
const STATUS: Partial<Record<RequestErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
};

/** An error that clients are meant to see. */
export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

/** An error for a request that is rejected before execution; it also sets the HTTP status. */
export function refusedRequest(code: RequestErrorCode, message: string, status = STATUS[code] ?? 400): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}

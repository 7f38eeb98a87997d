import { GraphQLError, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import { isDatabaseTrouble, OutcomeUnknownError } from '../../infra/postgres/database-faults.ts';
import type { Logger } from '../../infra/logger.ts';
import { withUnknownOutcome } from './outcome.ts';

/*
 * What of an error a client gets to see. Ours carry a code, and pass as they are. GraphQL's own complaints about a request
 * pass as BAD_REQUEST. Trouble with the database is UNAVAILABLE, to be tried again. Everything else was not meant for anyone outside: it is logged with the request's id, and the client
 * gets that id and nothing more.
 */

/** Where a masked error is logged, and under what id. */
export interface MaskScope {
  requestId: string;
  logger: Logger;
}

const MESSAGE = 'Internal server error. If it persists, report the request ID to the operator of the shop.';
const MAX_MESSAGE = 1000;
/** In seconds: long enough for a failover to get on, or for a lock to be let go. */
const RETRY_AFTER = 2;
const AWAY = `The database is temporarily unavailable. Try again in ${RETRY_AFTER} s.`;

/** Codes of graphql-js, Yoga and their tools, by the names that the API has for them. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  BAD_USER_INPUT: 'BAD_REQUEST',
  OPERATION_RESOLUTION_FAILURE: 'BAD_REQUEST',
  REQUEST_ENTITY_TOO_LARGE: 'BAD_REQUEST',
};

/** A refusal with 400, or with 200 for clients that accept plain JSON alone, as GraphQL over HTTP has it. */
const BAD_REQUEST = { code: 'BAD_REQUEST', http: { status: 400, spec: true } };

/** The error as the client gets it; logs it where it was not meant to happen. */
export function maskError(error: unknown, { requestId, logger }: MaskScope): GraphQLError {
  const deliberate = forClients(error);
  if (deliberate !== null) return deliberate;
  const at = error instanceof GraphQLError ? error : null;
  const thrown = causeOf(error);
  const unknown = thrown instanceof OutcomeUnknownError;
  const err = unknown ? thrown.cause : thrown;
  const scope = {
    err,
    ...(at?.path === undefined ? {} : { path: at.path.join('.') }),
    ...(unknown ? { unknown } : {}),
  };
  const masked = isDatabaseTrouble(err) ? unavailable() : unexpected();
  return unknown ? withUnknownOutcome(masked) : masked;

  function unavailable(): GraphQLError {
    logger.warn(scope, 'the database is unavailable');
    const http = { status: 503, headers: { 'retry-after': String(RETRY_AFTER) } };
    const extensions = { code: 'UNAVAILABLE', retryAfter: RETRY_AFTER, requestId, http };
    return new GraphQLError(AWAY, { ...placeOf(at), extensions });
  }

  function unexpected(): GraphQLError {
    logger.error(scope, 'unexpected error');
    const extensions = { code: 'INTERNAL_SERVER_ERROR', requestId, unexpected: true };
    return new GraphQLError(MESSAGE, { ...placeOf(at), extensions });
  }
}

/** Masks all errors of a result. A result without `data` was never executed: its errors concern the request. */
export function maskResult(result: ExecutionResult, scope: MaskScope): ExecutionResult {
  if (result.errors === undefined || result.errors.length === 0) return result;
  const mask = 'data' in result ? maskError : maskRefusal;
  return { ...result, errors: result.errors.map((error) => mask(error, scope)) };
}

function maskRefusal(error: GraphQLError, scope: MaskScope): GraphQLError {
  if (codeOf(causeOf(error)) !== null) return maskError(error, scope);
  // A scalar that throws what is no GraphQLError may say anything in it; what stands before is graphql-js's own.
  const ours = causeOf(error) instanceof GraphQLError;
  if (!ours && !isAboutRequest(error)) return maskError(error, scope);
  return rewritten(error, { message: ours ? error.message : before(error.message, '; '), extensions: BAD_REQUEST });
}

/** The error where clients may see it, under the API's own code; else null. */
export function forClients(error: unknown): GraphQLError | null {
  if (!(error instanceof GraphQLError)) return null;
  const cause = causeOf(error);
  if (!(cause instanceof GraphQLError)) return null;
  const code = codeOf(cause);
  if (code !== null) return OTHER_NAMES[code] === undefined ? shortened(error) : withCode(error, OTHER_NAMES[code]);
  return isAboutRequest(cause) ? withCode(error, 'BAD_REQUEST') : null;
}

/** What graphql-js says of values that came with the request, while it executes. */
function isAboutRequest({ message }: GraphQLError): boolean {
  return /^(Argument|Variable) "/.test(message);
}

function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError != null) cause = cause.originalError;
  return cause;
}

function codeOf(error: unknown): string | null {
  const code = error instanceof GraphQLError ? error.extensions.code : null;
  return typeof code === 'string' ? code : null;
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return rewritten(error, { message: error.message, extensions: { ...error.extensions, code } });
}

/** A message quotes what the client sent, which may be a megabyte. */
function shortened(error: GraphQLError): GraphQLError {
  return error.message.length <= MAX_MESSAGE ? error : rewritten(error, error);
}

function rewritten(
  error: GraphQLError,
  { message, extensions }: Pick<GraphQLError, 'message' | 'extensions'>,
): GraphQLError {
  const short = message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
  return new GraphQLError(short, { ...placeOf(error), extensions });
}

function placeOf(error: GraphQLError | null) {
  const { nodes = null, source = null, positions = null, path = null } = error ?? {};
  return { nodes, source, positions, path };
}

function before(text: string, separator: string): string {
  const at = text.indexOf(separator);
  return at === -1 ? text : `${text.slice(0, at)}.`;
}

/** An error as sent over a WebSocket: without the extensions for HTTP and Yoga, which Yoga itself removes for HTTP. */
export function formatError(error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError {
  const formatted = error instanceof GraphQLError ? error.toJSON() : error;
  const { http: _http, unexpected: _unexpected, ...extensions } = formatted.extensions ?? {};
  return { ...formatted, extensions };
}

import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { watchChanges } from '../../infra/postgres/change-watch.ts';
import { OutcomeUnknownError } from '../../infra/postgres/database-faults.ts';

/*
 * What a client may conclude from a mutation that ended in an error. An error that was not meant for clients says
 * `outcome: UNKNOWN` where something may have been committed before it; without that, nothing was.
 */

const MESSAGE =
  'The result of the mutation is unknown, because of an internal error after its start. If it has an idempotencyKey, ' +
  'send it again with the same key; otherwise check whether it took effect before you retry.';

/** Has errors of a mutation's own resolver say that the outcome is unknown if something was committed before them. */
export function withOutcomes(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field;
    if (resolve === undefined) continue;
    field.resolve = async (...given) => {
      const changes = watchChanges();
      try {
        return await changes.during(async () => await resolve(...given));
      } catch (error) {
        if (!changes.made() || error instanceof GraphQLError || error instanceof OutcomeUnknownError) throw error;
        throw new OutcomeUnknownError(error);
      }
    };
  }
  return schema;
}

/** The error as one of a change whose outcome is not known. */
export function withUnknownOutcome(error: GraphQLError): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error;
  const extensions = { ...error.extensions, outcome: 'UNKNOWN' };
  return new GraphQLError(MESSAGE, { nodes, source, positions, path, extensions });
}

/**
 * Settles a result whose errors are masked, by what kind of operation it is.
 *
 * Of a mutation: an error below a root field comes after its resolver, which did its work. Where the error took away what
 * the payload is about, the payload would look like neither a success nor a refusal: it is null.
 * A status of HTTP that errors ask for is left out where a part of a mutation succeeded, since a client that sends the whole
 * again on a 503 would do that part twice; and for subscriptions, since an EventSource gives up for good on anything but 200.
 */
export function settleResult(
  result: ExecutionResult,
  { document, operationName }: { document: DocumentNode; operationName?: string | null | undefined },
): ExecutionResult {
  if (result.errors === undefined) return result;
  const kind = getOperationAST(document, operationName)?.operation;
  if (kind === undefined || kind === OperationTypeNode.QUERY) return result;
  if (kind === OperationTypeNode.SUBSCRIPTION) return { ...result, errors: result.errors.map(withoutStatus) };

  const data = result.data == null ? result.data : { ...result.data };
  const errors = result.errors.map((error) => {
    const [root, name] = error.path ?? [];
    if (root === undefined || name === undefined || error.extensions.requestId === undefined) return error;
    const payload = data?.[String(root)] as Record<string, unknown> | null | undefined;
    if (data != null && payload != null && payload[String(name)] == null) data[String(root)] = null;
    return withUnknownOutcome(error);
  });
  const partly = Object.entries(data ?? {}).some(([name, value]) => name !== '__typename' && value !== null);
  return { ...result, ...(data === undefined ? {} : { data }), errors: partly ? errors.map(withoutStatus) : errors };
}

function withoutStatus(error: GraphQLError): GraphQLError {
  const { code, http } = error.extensions as { code?: unknown; http?: { headers?: object } };
  if (http === undefined || code !== 'UNAVAILABLE') return error;
  const { message, nodes = null, source = null, positions = null, path = null } = error;
  const extensions: Record<string, unknown> = { ...error.extensions, http: { headers: http.headers ?? {} } };
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  getOperationAST,
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  type GraphQLError,
} from 'graphql';
import { CloseCode, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import type { ContextFactory, RequestScope } from './create-context.ts';
import type { Sink } from './sink.ts';
import { formatError, maskError, maskResult, type MaskScope } from './mask.ts';
import { refusedRequest } from './request-error.ts';
import type { SessionWatch } from './session-watch.ts';
import type { Throttle } from './throttle.ts';
import { describeOperation, type Yoga } from './yoga.ts';

/** What sockets are served with. */
export interface SocketEngine {
  yoga: Yoga;
  contexts: ContextFactory;
  sessions: SessionWatch;
  throttle: Throttle | null;
}

/** What is known of a socket. */
export interface SocketExtra {
  request: IncomingMessage;
  scope: RequestScope;
  close(code: number, reason: string): void;
  /** Where the results of one of its operations can be put. */
  sinkFor(id: string): Sink;
  /** Set once it is closed: what ends then, or, after that, what comes too late. */
  closed?: boolean;
  release?: () => void;
}

interface SocketArgs extends ExecutionArgs {
  run: (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;
  mask: MaskScope;
}

const INIT_WITHIN_MS = 5_000;
const MAX_OPERATIONS = 100;

/**
 * The protocol, with each operation going through the same hooks as over HTTP: limits, validation, masking. A credential
 * that is none of ours makes every operation fail with UNAUTHENTICATED, and leaves the socket open: an error has a code
 * that clients can act on, a closed socket only has them connect again. A socket that came with a valid access token is
 * closed with 4403 when the token's time, or its session, is over: the client comes back with a fresh one.
 */
export function createSocketProtocol({ yoga, contexts, sessions, throttle }: SocketEngine): Server<SocketExtra> {
  /** An operation that is ready to run, or why it is not run. */
  async function prepare(
    connection: { extra: SocketExtra; connectionParams?: unknown; subscriptions: object },
    id: string,
    { query, variables, operationName }: SubscribePayload,
    mask: MaskScope,
  ): Promise<SocketArgs | readonly GraphQLError[]> {
    // Before anything is waited for: until then those that came later are not among them.
    if (Object.keys(connection.subscriptions).length > MAX_OPERATIONS) {
      throw refusedRequest('TOO_COSTLY', `A socket runs ${MAX_OPERATIONS} operations at a time at most.`);
    }
    const { extra, connectionParams } = connection;
    const { clientAddress } = extra.scope;
    const caller = { clientAddress, limiterWait: { ms: 0 }, logger: mask.logger };
    await throttle?.admit(caller);
    const { schema, parse, validate, execute, subscribe } = yoga.getEnveloped({});
    const document = parse(query);
    const operation = getOperationAST(document, operationName);
    if (operation == null) throw refusedRequest('BAD_REQUEST', 'There is no operation of this name.');
    if (operation.operation === OperationTypeNode.MUTATION) {
      throw refusedRequest('BAD_REQUEST', 'Mutations are not taken over WebSocket: send them over HTTP.');
    }
    const errors: readonly GraphQLError[] = validate(schema, document);
    if (errors.length > 0) return errors;
    const scope = { ...caller, id: mask.requestId, operation: describeOperation(operation) };
    const context = await contexts.forSocket(extra.request, connectionParams, scope);
    const contextValue = { ...context, sink: extra.sinkFor(id) };
    mask.logger.debug({ operation: scope.operation }, 'operation over websocket');
    return {
      schema,
      document,
      operationName,
      variableValues: variables,
      contextValue,
      run: operation.operation === OperationTypeNode.SUBSCRIPTION ? subscribe : execute,
      mask,
    };
  }

  /** Nothing may be thrown into graphql-ws: it would close the socket with the bare message. */
  async function run(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const { run: start, mask, ...plain } = args as SocketArgs;
    try {
      return await start(plain);
    } catch (error) {
      return maskResult({ errors: [maskError(error, mask)] }, mask);
    }
  }

  return makeServer<Record<string, unknown>, SocketExtra>({
    connectionInitWaitTimeout: INIT_WITHIN_MS,
    async onConnect({ extra, connectionParams }) {
      const token = contexts.accessTokenOf(extra.request, connectionParams);
      if (token === null) return;
      const { release } = await sessions.watch(token, () => extra.close(CloseCode.Forbidden, 'Forbidden'));
      if (extra.closed === true) release();
      else extra.release = release;
    },
    onClose({ extra }) {
      extra.closed = true;
      extra.release?.();
    },
    async onSubscribe(connection, id, payload) {
      const requestId = randomUUID();
      const mask = { requestId, logger: connection.extra.scope.logger.child({ requestId }) };
      try {
        return await prepare(connection, id, payload, mask);
      } catch (error) {
        return [maskError(error, mask)];
      }
    },
    execute: run,
    subscribe: run,
    onNext: (_connection, _id, _payload, _args, { errors, ...result }) =>
      errors === undefined ? undefined : { ...(result as FormattedExecutionResult), errors: errors.map(formatError) },
    onError: (_connection, _id, _payload, errors) => errors.map(formatError),
  });
}

import { randomUUID } from 'node:crypto';
import {
  getOperationAST,
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
} from 'graphql';
import { CloseCode, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import type { Logger } from '../../infra/logger.ts';
import type { YogaServerInstance } from 'graphql-yoga';
import type { Authentication, SocketOpening } from '../context/authentication.ts';
import type { Context } from '../context/context.ts';
import type { ContextFactory, NodeContext } from '../context/create-context.ts';
import { describeOperation } from '../context/describe-operation.ts';
import { maskError, maskResult, type MaskScope } from '../context/mask.ts';
import { refusedRequest } from '../context/request-error.ts';
import { TRY_AGAIN_LATER, type SocketConnection, type SocketContext } from './socket-connection.ts';
import { SocketOperation } from './socket-operation.ts';
import type { Throttle } from '../limits/throttle.ts';

/** What sockets are served with. */
export interface SocketEngine {
  /** Parses, validates and executes, with every plugin of the HTTP side. */
  yoga: Pick<YogaServerInstance<NodeContext, Context>, 'getEnveloped'>;
  contexts: ContextFactory;
  authentication: Authentication;
  throttle: Throttle | null;
  logger: Logger;
  /** Called with the error that ended a shared subscription early. */
  failed: (error: unknown) => void;
}

type PromiseOrValue<T> = Promise<T> | T;

/** An operation that is ready to run. */
interface Prepared extends ExecutionArgs {
  isQuery: boolean;
  start: (args: ExecutionArgs) => PromiseOrValue<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;
}

/** What a socket was opened with. */
const openingOf = ({ extra: { headers }, connectionParams }: SocketContext): SocketOpening => ({
  headers,
  connectionParams,
});

/** Operations of one socket at a time. */
export const MAX_OPERATIONS = 100;

/**
 * The protocol, with each operation going through the same hooks as over HTTP: limits, validation, masking. A credential
 * that is none of ours makes every operation fail with UNAUTHENTICATED, and leaves the socket open: an error has a code
 * that clients can act on, a closed socket only has them connect again. A socket is closed with 4403 when its session ends, and
 * when its client has logged in or out: clients come back with the credentials that they have by then. When an access token
 * expires, public subscriptions go on; all others end with UNAUTHENTICATED, and the socket is closed where none is left.
 */
export function createSocketProtocol({
  yoga,
  contexts,
  authentication,
  throttle,
}: SocketEngine): Server<SocketConnection> {
  /** An operation that is ready to run, or why it is not run. */
  async function prepare(
    connection: SocketContext,
    entry: SocketOperation,
    { query, variables, operationName }: SubscribePayload,
    mask: MaskScope,
  ): Promise<Prepared | readonly GraphQLError[]> {
    // Before anything is waited for: until then those that came later are not among them.
    if (Object.keys(connection.subscriptions).length > MAX_OPERATIONS) {
      throw refusedRequest('TOO_COSTLY', `A WebSocket can run at most ${MAX_OPERATIONS} operations at a time.`);
    }
    const { extra } = connection;
    const { clientAddress } = extra;
    const caller = { clientAddress, limiterWait: { ms: 0 }, logger: mask.logger };
    await throttle?.admit(caller);
    const { schema, parse, validate, execute, subscribe } = yoga.getEnveloped({});
    const document = parse(query);
    const operation = getOperationAST(document, operationName);
    if (operation == null) throw refusedRequest('BAD_REQUEST', 'The document has no operation with this name.');
    if (operation.operation === OperationTypeNode.MUTATION) {
      throw refusedRequest('BAD_REQUEST', 'Mutations are not supported over WebSocket. Send them over HTTP.');
    }
    const errors: readonly GraphQLError[] = validate(schema, document);
    if (errors.length > 0) return errors;
    const scope = { ...caller, id: mask.requestId, operation: describeOperation(operation) };
    const context = await contexts.forSocket(openingOf(connection), scope);
    const contextValue = { ...context, sink: entry };
    mask.logger.debug({ operation: scope.operation }, 'operation over WebSocket');
    return {
      schema,
      document,
      operationName,
      variableValues: variables,
      contextValue,
      isQuery: operation.operation === OperationTypeNode.QUERY,
      start: operation.operation === OperationTypeNode.SUBSCRIPTION ? subscribe : execute,
    };
  }

  /** Runs an operation until it is complete, and sends its results to the client. */
  async function run(connection: SocketContext, entry: SocketOperation, payload: SubscribePayload): Promise<void> {
    const requestId = randomUUID();
    const mask = { requestId, logger: connection.extra.host.logger.child({ requestId }) };
    const prepared = await prepare(connection, entry, payload, mask).catch((error: unknown) => [
      maskError(error, mask),
    ]);
    if (!('start' in prepared)) {
      entry.refuse(prepared);
      return;
    }
    const { start, isQuery, ...args } = prepared;
    // Results that wait for a slow reader take memory: few are made at a time, and each is sent before its turn ends.
    const turn = isQuery ? connection.extra.queryTurn() : undefined;
    if (turn === null) {
      entry.refuse([refusedRequest('TOO_COSTLY', 'Too many queries are waiting on this WebSocket.')]);
      return;
    }
    try {
      await turn?.come;
      if (entry.left) return;
      // Where a plugin stops it before its start there is a result, and no promise of one.
      const outcome = await (async () => start(args))().catch((error: unknown) =>
        maskResult({ errors: [maskError(error, mask)] }, mask),
      );
      await entry.send(outcome);
    } finally {
      turn?.leave();
    }
  }

  function forbid(extra: SocketConnection): void {
    extra.close(CloseCode.Forbidden, 'Forbidden');
  }

  /**
   * Ends what needs the token. A client that has a newer one already is sent away, to come back with that; so is a client that
   * has nothing left here.
   */
  async function expire(connection: SocketContext): Promise<void> {
    const { extra, subscriptions } = connection;
    extra.isExpired = true;
    // Where the database cannot say so, the client finds out when it refreshes the session itself.
    if (await authentication.hasNewer(openingOf(connection)).catch(() => false)) return forbid(extra);
    const operations = Object.values(subscriptions) as SocketOperation[];
    const lasting = operations.filter((operation) => !operation.expire());
    if (lasting.length === 0) forbid(extra);
  }

  /** Has the socket end with what it came with. */
  async function tie(connection: SocketContext): Promise<void> {
    const { extra } = connection;
    const watched = await authentication.watchSocket(openingOf(connection), (why) => {
      if (why !== 'EXPIRED') forbid(extra);
      else expire(connection).catch((error: unknown) => extra.broke(error));
    });
    if (watched === null) return;
    const { userId } = watched;
    const { logger } = extra;
    const refused = userId === null ? null : throttle?.presence.enterAs({ userId, logger });
    if (refused != null) {
      watched.release();
      extra.close(TRY_AGAIN_LATER, refused.message);
      return;
    }
    extra.onGone(() => {
      watched.release();
      if (userId !== null) throttle?.presence.leaveAs(userId);
    });
  }

  return makeServer<Record<string, unknown>, SocketConnection>({
    // We do so ourselves: its timer would stay as long as the socket.
    connectionInitWaitTimeout: 0,
    async onConnect(connection) {
      const { extra } = connection;
      extra.begun();
      await tie(connection).catch((error: unknown) => {
        // Clients of graphql-ws come back after this, and would not after an internal error.
        extra.logger.error({ err: error }, 'the credentials of a WebSocket could not be checked');
        extra.close(TRY_AGAIN_LATER, 'Try again later');
      });
    },
    async onSubscribe(connection, id, payload) {
      const { extra } = connection;
      run(connection, new SocketOperation(connection, id), payload).catch((error: unknown) => extra.broke(error));
      // With nobody waiting for it graphql-ws is let go of, with all that it keeps for an operation that runs.
      return new Promise<never>(() => {});
    },
  });
}

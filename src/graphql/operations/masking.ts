import { GraphQLError, type ExecutionResult } from 'graphql';
import type { Plugin, YogaServerOptions } from 'graphql-yoga';
import type { Context } from '../context/context.ts';
import type { NodeContext, RequestScope } from '../context/create-context.ts';
import { forClients, maskError, maskResult } from '../context/mask.ts';
import { settleResult } from '../context/outcome.ts';

type MaskedErrors = NonNullable<YogaServerOptions<object, object>['maskedErrors']>;

/**
 * Masks errors wherever Yoga lets them through. What is executed has a context, and with it the request's id and log. What
 * fails before (the context itself, a plugin) reaches Yoga's `maskError`, which does not know the request: it is held back
 * there, and masked once the result is on its way to a request.
 */
export function useMasking(scopeOf: (node: NodeContext) => RequestScope): {
  plugin: Plugin<Context & NodeContext, NodeContext>;
  maskedErrors: MaskedErrors;
} {
  const heldBack = new WeakMap<object, unknown>();

  const plugin: Plugin<Context & NodeContext, NodeContext> = {
    onParse:
      () =>
      ({ result }) => {
        // Yoga adds codes for HTTP only, and caches the error for later requests with the same document.
        if (!(result instanceof GraphQLError)) return;
        result.extensions.code ??= 'GRAPHQL_PARSE_FAILED';
        result.extensions.http ??= { status: 400, spec: true };
      },

    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        if (isSingle(result)) setResult(settleResult(maskResult(result, args.contextValue), args));
      },
    }),

    onSubscribe: ({ args }) => ({
      onSubscribeResult({ result, setResult }) {
        const context = args.contextValue as Context;
        if (!isSingle(result)) {
          return { onNext: (next) => next.setResult(maskResult(next.result, context)) };
        }
        setResult(settleResult(maskResult(result, context), args));
        return undefined;
      },
      onSubscribeError: ({ error, setError }) => setError(maskError(error, args.contextValue)),
    }),

    onResultProcess({ result, setResult, serverContext }) {
      if (!isSingle(result) || result.errors?.some((error) => heldBack.has(error)) !== true) return;
      const { id: requestId, logger } = scopeOf(serverContext);
      const errors = result.errors.map((error) => maskError(heldBack.get(error) ?? error, { requestId, logger }));
      setResult({ ...result, errors });
    },
  };

  return {
    plugin,
    maskedErrors: {
      maskError(error, message) {
        const deliberate = forClients(error);
        if (deliberate !== null) return deliberate;
        const standIn = new GraphQLError(message, { extensions: { code: 'INTERNAL_SERVER_ERROR', unexpected: true } });
        heldBack.set(standIn, error);
        return standIn;
      },
    },
  };
}

function isSingle(result: unknown): result is ExecutionResult {
  return typeof result === 'object' && result !== null && !Array.isArray(result) && !(Symbol.asyncIterator in result);
}

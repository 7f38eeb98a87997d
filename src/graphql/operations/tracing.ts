import type { IncomingMessage } from 'node:http';
import type { ExecutionArgs } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Tracer } from '../../infra/tracing/tracer.ts';
import type { RequestScope } from '../context/create-context.ts';
import { isSingle, labelsOf, outcomeOf } from './metrics.ts';

/** Serves a request as a span, with its authentication and its operation. Streams of events are not traced: they have no end. */
export function traceRequest(
  { tracer, req, scope }: { tracer: Tracer | null; req: IncomingMessage; scope: RequestScope },
  serve: () => unknown,
): void {
  if (tracer === null || req.headers.accept?.includes('text/event-stream') === true) {
    void serve();
    return;
  }
  const { method = '' } = req;
  const attributes = { 'http.request.method': method, 'url.path': '/graphql', 'vitrine.request.id': scope.id };
  void tracer.run(`${method} /graphql`, { kind: 'server', attributes, parent: scope.traceparent ?? null }, serve);
}

/** Records each query and mutation as a span, over whatever transport. */
export function useTracing(tracer: Tracer): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { type, field } = labelsOf(args);
      const attributes = { 'graphql.operation.type': type, 'vitrine.graphql.field': field };
      setExecuteFn((given: ExecutionArgs) =>
        tracer.run(`${type} ${field}`, { attributes }, async () => {
          const result: unknown = await executeFn(given);
          if (isSingle(result)) tracer.annotate({ 'vitrine.graphql.outcome': outcomeOf(result) });
          return result;
        }),
      );
    },
  };
}

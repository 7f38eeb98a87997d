import { getOperationAST, type DocumentNode, type ExecutionResult, type OperationDefinitionNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Metrics } from '../../infra/metrics.ts';
import { rootFields } from './root-fields.ts';

/** Labels come from the schema and never from what clients write: there are not many of them. */
export interface Labels {
  type: string;
  field: string;
}

// Yoga keeps parsed documents, so each operation is looked at once.
const known = new WeakMap<OperationDefinitionNode, Labels>();

/** The labels of an operation. */
export function labelsOf({ document, operationName }: { document: DocumentNode; operationName?: unknown }): Labels {
  const operation = getOperationAST(document, typeof operationName === 'string' ? operationName : null);
  if (operation == null) return { type: 'none', field: 'none' };
  let labels = known.get(operation);
  if (labels === undefined) {
    const [first = 'none', ...others] = rootFields(document, operation);
    labels = { type: operation.operation, field: others.length === 0 ? first : 'several' };
    known.set(operation, labels);
  }
  return labels;
}

/** `ok`, or the code of the first error. */
export function outcomeOf({ errors }: ExecutionResult): string {
  const [first] = errors ?? [];
  if (first === undefined) return 'ok';
  const { code } = first.extensions;
  return typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR';
}

/** Counts operations, over whatever transport, and times those that are executed once. */
export function useMetrics({ operations, durations }: Pick<Metrics, 'operations' | 'durations'>): Plugin {
  return {
    onValidate:
      () =>
      ({ valid }) => {
        if (!valid) operations.inc({ type: 'none', field: 'none', outcome: 'GRAPHQL_VALIDATION_FAILED' });
      },
    onExecute({ args }) {
      const labels = labelsOf(args);
      const { type, field } = labels;
      const end = durations.startTimer(labels);
      return {
        onExecuteDone({ result }) {
          end();
          operations.inc({ type, field, outcome: isSingle(result) ? outcomeOf(result) : 'ok' });
        },
      };
    },
    onSubscribe: ({ args }) => ({
      onSubscribeResult({ result }) {
        const outcome = isSingle(result) ? outcomeOf(result) : 'ok';
        operations.inc({ ...labelsOf(args), outcome });
      },
    }),
  };
}

/** Whether a result is complete, and no stream of results. */
export function isSingle(result: unknown): result is ExecutionResult {
  return typeof result === 'object' && result !== null && !(Symbol.asyncIterator in result);
}

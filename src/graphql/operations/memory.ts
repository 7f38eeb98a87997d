import {
  getOperationAST,
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { EventFeed } from '../../events/feed.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { Context } from '../context/context.ts';
import { isStaff } from '../context/viewer.ts';
import { createKeepable } from './keepable.ts';
import type { Answer, KeptAnswers } from './kept-answers.ts';
import { isSingle } from './metrics.ts';

/**
 * Answers queries about the catalogue from memory. Everything that is asked of an operation before it is executed (limits,
 * credentials, validation) is asked as ever, and what is counted and traced is counted and traced: only the execution is replaced.
 * Staff see what shoppers do not, and are always answered from the database. So is everyone while the node's feed is away.
 */
export function useMemory(options: {
  schema: GraphQLSchema;
  answers: KeptAnswers;
  feed: Pick<EventFeed, 'isCurrent' | 'position'>;
  reads: Metrics['memoryReads'];
}): Plugin<Context> {
  const { schema, answers, feed, reads } = options;
  const keepableOf = createKeepable(schema);

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operationName } = args;
      const keepable = keepableOf(document);
      if (keepable === null) {
        const isMutation = getOperationAST(document, operationName)?.operation === OperationTypeNode.MUTATION;
        return isMutation ? forgetting(answers) : undefined;
      }
      if (getOperationAST(document, operationName) == null) return undefined;
      const context = args.contextValue as Context;
      if (isStaff(context.viewer) || !feed.isCurrent()) {
        reads.inc({ outcome: 'bypassed' });
        return undefined;
      }
      const query = { keepable, operationName, variables: args.variableValues };
      const found = answers.find(query);
      reads.inc({ outcome: found === null ? 'miss' : 'hit' });
      // The position in the log is put into the text; the hook that reads it from the database has nothing to do.
      if (keepable.asksForCursor) context.eventCursor = feed.position();
      const answered = (answer: Answer) =>
        'text' in answer ? fromText(answer.text, context) : ofErrors(answer.result, context);
      const ofErrors = (result: ExecutionResult, { viewer }: Context) =>
        // What is refused to a visitor may be refused to a customer in other words.
        viewer.user === null ? result : executeFn(args);
      setExecuteFn((given: ExecutionArgs) =>
        found === null ? answers.make(query, given, executeFn).then(answered) : fromText(found, context),
      );
      return undefined;
    },
  };
}

/** Yoga asks a result for its own text; a WebSocket makes a message of it. */
function fromText(text: string, { sink }: Context): ExecutionResult {
  if (sink !== null) return JSON.parse(text) as ExecutionResult;
  return { stringify: () => text } as ExecutionResult;
}

/** If it is unknown whether a change was committed, nothing in memory is certain until its event could have arrived. */
function forgetting(answers: KeptAnswers) {
  return {
    onExecuteDone({ result }: { result: unknown }) {
      if (isSingle(result) && result.errors?.some(({ extensions }) => extensions.outcome === 'UNKNOWN') === true) {
        answers.forget();
      }
    },
  };
}

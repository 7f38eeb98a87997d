import { EnvelopArmor } from '@escape.tech/graphql-armor';
import { complexityFromQuery } from '@pothos/plugin-complexity';
import { getOperationAST, GraphQLError, Kind, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { MAX_EVENT_COST } from '../schema/builder.ts';
import type { Context } from '../context/context.ts';
import { useIntrospection } from './introspection.ts';
import { refusedRequest } from '../context/request-error.ts';
import { noConditionalSubscriptions } from './subscription-root.ts';

const MAX_DEPTH = 12;
const MAX_ALIASES = 15;
const MAX_TOKENS = 2000;

/** As for documents that do not fit the schema: 400, or 200 for clients that accept plain JSON alone. */
const HTTP = { status: 400, spec: true };

function tooCostly(_context: unknown, error: GraphQLError): never {
  // Armor calls everything an error of syntax.
  const message = error.message.replace('Syntax Error: ', '');
  throw new GraphQLError(message, { extensions: { code: 'TOO_COSTLY', http: HTTP } });
}

interface LimitOptions {
  schema: GraphQLSchema;
  /** Whether errors name similar fields. */
  suggestions: boolean;
  /** Whether the schema can be asked for. */
  introspection: boolean;
}

/**
 * What a document may be made of, before any of it is executed. Introspection is deeper than the depth allows, and has a cost
 * of its own.
 */
export function limitPlugins({ schema, suggestions, introspection }: LimitOptions): object[] {
  const refuse = { propagateOnRejection: false, onReject: [tooCostly] };
  const { plugins } = new EnvelopArmor({
    maxDepth: { n: MAX_DEPTH, flattenFragments: true, ignoreIntrospection: true, ...refuse },
    maxAliases: { n: MAX_ALIASES, ...refuse },
    maxTokens: { n: MAX_TOKENS, ...refuse },
    maxDirectives: { enabled: false },
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: !suggestions, mask: '' },
  }).protect();
  return [
    ...plugins,
    useIntrospection({ schema, enabled: introspection }),
    { onValidate: ({ addValidationRule }) => addValidationRule(noConditionalSubscriptions) } satisfies Plugin,
    useKnownVariables(),
    useSubscriptionCost(),
  ];
}

/** Refuses variables that the operation does not declare: left alone, a misspelt one would silently do nothing. */
function useKnownVariables(): Plugin {
  const check = (document: DocumentNode, operationName: unknown, given: object | null | undefined) => {
    if (given == null) return null;
    const operation = getOperationAST(document, typeof operationName === 'string' ? operationName : null);
    const declared = new Set(operation?.variableDefinitions?.map((definition) => definition.variable.name.value));
    const unknown = Object.keys(given).find((name) => !declared.has(name));
    if (operation == null || unknown === undefined) return null;
    const message = `Variable "$${unknown.slice(0, 100)}" is not declared by the operation.`;
    return { errors: [refusedRequest('BAD_REQUEST', message)] };
  };
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const refusal = check(args.document, args.operationName, args.variableValues);
      if (refusal !== null) setResultAndStopExecution(refusal);
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = check(args.document, args.operationName, args.variableValues);
      if (refusal !== null) setResultAndStopExecution(refusal);
    },
  };
}

/** The schema's own check of cost runs with each event; a subscription that costs too much is better refused at once. */
function useSubscriptionCost(): Plugin {
  return {
    onSubscribe({ args, setResultAndStopExecution }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation == null) return;
      const { definitions } = args.document as DocumentNode;
      const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
      let complexity: number;
      try {
        ({ complexity } = complexityFromQuery(
          { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
          { schema: args.schema, ctx: args.contextValue, variables: args.variableValues ?? {} },
        ));
      } catch (error) {
        if (error instanceof GraphQLError) return; // variables that are wrong: the subscription says so itself
        throw error;
      }
      (args.contextValue as unknown as Context).eventCost = complexity;
      if (complexity <= MAX_EVENT_COST) return;
      const message = `An event of this subscription costs ${complexity}, but the maximum is ${MAX_EVENT_COST}.`;
      setResultAndStopExecution({ errors: [refusedRequest('TOO_COSTLY', message)] });
    },
  };
}

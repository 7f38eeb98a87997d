import {
  getIntrospectionQuery,
  GraphQLError,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../context/context.ts';

/*
 * Introspection is answered by graphql-js itself, past the schema's own costs: a few hundred bytes can ask for megabytes. So
 * it has a cost of its own, a unit for each field of the answer, computed with the numbers of this schema. The ceiling is what
 * the query of the tools costs, with some room.
 */

const ROOTS: ReadonlySet<string> = new Set(['__schema', '__type']);

/** In one operation, through whatever fragments. Tools that look for a server's abilities ask for a few types by name. */
const MAX_SCHEMAS = 1;
const MAX_TYPES = 5;
/** What an operation may cost, as a multiple of the query of the tools. */
const ROOM = 1.5;

/** As for documents that do not fit the schema: 400, or 200 for clients that accept plain JSON alone. */
const HTTP = { status: 400, spec: true };

/** What the introspection of one operation comes to. */
interface Introspection {
  schemas: number;
  types: number;
  cost: number;
}

const NONE: Introspection = { schemas: 0, types: 0, cost: 0 };

/**
 * Refuses introspection that is off, or asks for too much, before anything is executed; counts what is left by client.
 * @param options.enabled whether there is any
 */
export function useIntrospection({ schema, enabled }: { schema: GraphQLSchema; enabled: boolean }): Plugin {
  const sizes = sizesOf(schema);
  const standard = parse(
    getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  );
  const ceiling = Math.ceil(ROOM * Math.max(...measureDocument(standard, sizes).map(({ cost }) => cost)));

  const measured = new WeakMap<DocumentNode, Introspection[]>();

  function measure(document: DocumentNode): Introspection[] {
    const known = measured.get(document) ?? measureDocument(document, sizes);
    measured.set(document, known);
    return known;
  }

  const rule: ValidationRule = (context) => ({
    Document(document) {
      for (const found of measure(document)) {
        const refusal = refusalOf(found, { enabled, ceiling });
        if (refusal === null) continue;
        context.reportError(refusal);
        return;
      }
    },
  });

  return {
    onValidate: ({ addValidationRule }) => addValidationRule(rule),
    // Most operations need not wait for anything.
    onExecute({ args, setResultAndStopExecution }) {
      const context = args.contextValue as unknown as Context;
      if (context.throttle === null || measure(args.document as DocumentNode).every(({ cost }) => cost === 0)) {
        return undefined;
      }
      return context.throttle.admitIntrospection(context).catch((error: unknown) => {
        if (!(error instanceof GraphQLError)) throw error;
        setResultAndStopExecution({ errors: [error] });
      });
    },
  };
}

function refusalOf(
  { schemas, types, cost }: Introspection,
  { enabled, ceiling }: { enabled: boolean; ceiling: number },
): GraphQLError | null {
  if (schemas + types === 0) return null;
  if (!enabled) {
    const message = 'Introspection is disabled. Set INTROSPECTION=on to enable it.';
    return new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { ...HTTP, status: 403 } } });
  }
  const message =
    schemas > MAX_SCHEMAS
      ? `An operation may select \`__schema\` only once.`
      : types > MAX_TYPES
        ? `An operation may select \`__type\` at most ${MAX_TYPES} times.`
        : cost > ceiling
          ? `The introspection costs ${cost}, but the maximum is ${ceiling}.`
          : null;
  return message === null ? null : new GraphQLError(message, { extensions: { code: 'TOO_COSTLY', http: HTTP } });
}

/** How many items the lists of introspection have, on average where it differs from type to type. */
function sizesOf(schema: GraphQLSchema): ReadonlyMap<string, number> {
  const types = Object.values(schema.getTypeMap());
  const average = (sizes: readonly number[]) =>
    Math.max(1, sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, types.length));
  const withFields = types.filter((type) => isObjectType(type) || isInterfaceType(type));
  const allFields = withFields.flatMap((type) => Object.values(type.getFields()));
  const allArguments = allFields.reduce((sum, field) => sum + field.args.length, 0);
  return new Map([
    ['types', types.length],
    ['directives', schema.getDirectives().length],
    ['fields', average([allFields.length])],
    ['args', Math.max(1, allArguments / Math.max(1, allFields.length))],
    ['inputFields', average(types.filter(isInputObjectType).map((type) => Object.keys(type.getFields()).length))],
    ['enumValues', average(types.filter(isEnumType).map((type) => type.getValues().length))],
    ['interfaces', average(withFields.map((type) => type.getInterfaces().length))],
    ['possibleTypes', average(types.filter(isAbstractType).map((type) => schema.getPossibleTypes(type).length))],
    ['locations', 3],
  ]);
}

/** What each operation of a document asks for. */
function measureDocument(document: DocumentNode, sizes: ReadonlyMap<string, number>): Introspection[] {
  const operations: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // By fragment, inside introspection and outside: a fragment that is spread often is looked at once.
  const known = new Map<string, Introspection>();

  function measureFragment(name: string, inside: boolean): Introspection {
    const key = `${name} ${inside}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    // A fragment that leads to itself is refused by another rule.
    known.set(key, NONE);
    const fragment = fragments.get(name);
    const found = fragment === undefined ? NONE : measure(fragment.selectionSet, inside);
    known.set(key, found);
    return found;
  }

  function measure({ selections }: SelectionSetNode, inside: boolean): Introspection {
    let [schemas, types, cost] = [0, 0, 0];
    for (const selection of selections) {
      let found = NONE;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        found = measureFragment(selection.name.value, inside);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        found = measure(selection.selectionSet, inside);
      } else {
        const name = selection.name.value;
        const isRoot = !inside && ROOTS.has(name);
        const below = selection.selectionSet === undefined ? NONE : measure(selection.selectionSet, inside || isRoot);
        found = inside || isRoot ? { ...below, cost: 1 + Math.ceil((sizes.get(name) ?? 1) * below.cost) } : below;
        if (isRoot && name === '__schema') schemas += 1;
        if (isRoot && name === '__type') types += 1;
      }
      schemas += found.schemas;
      types += found.types;
      cost += found.cost;
    }
    return { schemas, types, cost };
  }

  return operations.map(({ selectionSet }) => measure(selectionSet, false));
}

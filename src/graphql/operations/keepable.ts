import { OperationTypeNode, TypeInfo, visit, visitWithTypeInfo, type DocumentNode, type GraphQLSchema } from 'graphql';
import { declaredLimitsOf } from '../schema/limited-fields.ts';

/** What is known of a document whose answers may be kept. */
export interface Keepable {
  /** Distinguishes documents; never used again. */
  id: number;
  /** Whether any operation selects a position in the event log. */
  asksForCursor: boolean;
}

interface Extended {
  extensions: Readonly<Record<string, unknown>>;
}

const CURSORS: ReadonlySet<string> = new Set(['eventCursor', 'asOf']);

/**
 * Says of documents whether their answers may be kept: each looks at a document once. Every field that is selected must be
 * declared as KEPT, by its type or, at the root of a query, by itself.
 */
export function createKeepable(schema: GraphQLSchema): (document: DocumentNode) => Keepable | null {
  const known = new WeakMap<DocumentNode, Keepable | null>();
  let documents = 0;

  return (document) => {
    let keepable = known.get(document);
    if (keepable === undefined) {
      documents += 1;
      keepable = analyse(schema, document, documents);
      known.set(document, keepable);
    }
    return keepable;
  };
}

function analyse(schema: GraphQLSchema, document: DocumentNode, id: number): Keepable | null {
  const types = new TypeInfo(schema);
  let isKept = true;
  let readsAnything = false;
  let asksForCursor = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      OperationDefinition({ operation }) {
        if (operation !== OperationTypeNode.QUERY) isKept = false;
      },
      Field({ name: { value: name } }) {
        const [parent, field] = [types.getParentType(), types.getFieldDef()];
        if (name === '__typename') return;
        if (parent == null || field == null || name.startsWith('__')) {
          isKept = false;
          return;
        }
        if (CURSORS.has(name)) {
          asksForCursor = true;
          if (parent === schema.getQueryType()) return;
        }
        const declared: Extended = parent === schema.getQueryType() ? field : parent;
        if (declared.extensions.keptInMemory !== true) isKept = false;
        if (isRestricted(field) || isRestricted(parent) || declaredLimitsOf(field) !== undefined) isKept = false;
        readsAnything = true;
      },
    }),
  );
  return isKept && readsAnything ? { id, asksForCursor } : null;
}

function isRestricted({ extensions }: Extended): boolean {
  return (extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes !== undefined;
}

import {
  Kind,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLField,
  type GraphQLSchema,
} from 'graphql';
import type { Context, Viewer } from '../context/context.ts';

/*
 * Which subscriptions may be answered together. A type (or a root field of subscriptions) that declares SHARED says that
 * what its fields show depends on the event and on the viewer's role at most, never on who the viewer is. A subscription is
 * shared only if everything it selects is declared as shared: undeclared types are never shared.
 */

/** Subscribers with the same document, variables and role, and the anonymous viewer for whom their events are executed. */
export interface SharedAudience {
  /** Identifies subscribers that receive the same result. */
  key: string;
  viewer: Viewer;
  /** Variables without `after`, which differs between subscribers. */
  variables: Readonly<Record<string, unknown>>;
}

interface Analysis {
  /** The operation without `after`; null where it cannot be shared. */
  text: string | null;
  /** Whether anything that is selected is for some roles alone. */
  scoped: boolean;
  /** The variables that only say from where to go on. */
  resumption: ReadonlySet<string>;
}

const AFTER = 'after';
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Decides who shares, for one schema. Looks at each document once. */
export function createSharing(schema: GraphQLSchema): (args: ExecutionArgs) => SharedAudience | null {
  const analyses = new WeakMap<DocumentNode, Analysis>();

  return ({ document, operationName, variableValues, contextValue }) => {
    let analysis = analyses.get(document);
    if (analysis === undefined) {
      analysis = analyse(schema, document);
      analyses.set(document, analysis);
    }
    if (analysis.text === null) return null;
    const { resumption } = analysis;
    const given = Object.entries(variableValues ?? {}).filter(([name]) => !resumption.has(name));
    const viewer = standIn((contextValue as Context).viewer, analysis.scoped);
    const role = viewer.user?.role ?? (analysis.scoped ? 'nobody' : 'public');
    const values = given.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      key: JSON.stringify([analysis.text, operationName ?? null, values, role]),
      viewer,
      variables: Object.fromEntries(given),
    };
  };
}

/** Anonymous viewer with the role of the viewer. Customers and guests are one audience unless a field is restricted by role. */
function standIn({ user }: Viewer, scoped: boolean): Viewer {
  if (user === null || (user.role === 'CUSTOMER' && !scoped)) return { user: null, guest: null };
  return { user: { userId: NOBODY, sessionId: NOBODY, role: user.role }, guest: null };
}

function analyse(schema: GraphQLSchema, document: DocumentNode): Analysis {
  const types = new TypeInfo(schema);
  let shared = true;
  let scoped = false;
  const resumption = new Set<string>();
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const [parent, field] = [types.getParentType(), types.getFieldDef()];
        if (parent == null || field == null || field.name.startsWith('__')) return;
        const isRoot = parent === schema.getSubscriptionType();
        if (!isShared(isRoot ? field : parent)) shared = false;
        if (isScoped(field) || isScoped(parent)) scoped = true;
      },
    }),
  );
  if (!shared) return { text: null, scoped, resumption };
  const plain = visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        // Somewhere deeper it would be another list's.
        if (types.getParentType() !== schema.getSubscriptionType()) return undefined;
        const after = node.arguments?.find((argument) => argument.name.value === AFTER);
        if (after?.value.kind === Kind.VARIABLE) resumption.add(after.value.name.value);
        return { ...node, arguments: node.arguments?.filter((argument) => argument !== after) };
      },
    }),
  );
  return { text: print(plain), scoped, resumption };
}

interface Extended {
  extensions: Readonly<Record<string, unknown>>;
}

function isShared({ extensions }: Extended): boolean {
  return extensions.sharedAmongViewers === true;
}

/** Whether the type or field has auth scopes. */
function isScoped({ extensions }: Extended | GraphQLField<unknown, unknown>): boolean {
  return (extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes !== undefined;
}

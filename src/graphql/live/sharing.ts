import { createHash } from 'node:crypto';
import {
  isLeafType,
  getNamedType,
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
import type { AuthenticatedUser, Authentication, StandIn, Viewer } from '../context/authentication.ts';
import type { Context } from '../context/context.ts';
import { declaredLimitsOf, GENERAL } from '../schema/limited-fields.ts';

/*
 * Which subscriptions may be answered together. A type (or a root field of subscriptions) that declares SHARED says that
 * what its fields show depends on the event and on the viewer's role at most, never on who the viewer is. One that declares OWNED
 * may depend on the owner too: the subscriptions of an owner's devices are answered together. A subscription is shared only if
 * everything it selects is declared: undeclared types are never shared.
 */

/** Subscribers that get the same results: those with the same document, variables and role and, where it matters, the same owner. */
export interface SharedAudience {
  /** Identifies subscribers that receive the same result. */
  key: string;
  /** For whom the events are executed: an anonymous viewer with the role, or the owner without a session. */
  viewer: Viewer;
  /** Names the viewer among those for whom events are executed. */
  viewerKey: string;
  /** Whether a result depends on the event and the role alone, and so never changes. */
  isRecorded: boolean;
}

interface Analysis {
  /** Hash of the operation without `after`; null where it cannot be shared. */
  hash: string | null;
  /** Whether only the devices of one owner may share it. */
  owned: boolean;
  /** Whether anything that is selected is for some roles alone. */
  scoped: boolean;
  /** Whether all that is selected is recorded in the event. */
  recorded: boolean;
  /** The variables that only say from where to go on. */
  resumption: ReadonlySet<string>;
}

const AFTER = 'after';

/** Decides who shares, for one schema. Looks at each document once. */
export function createSharing(
  schema: GraphQLSchema,
  { anonymous, ownerAlone }: Pick<Authentication, 'anonymous' | 'ownerAlone'>,
): (args: ExecutionArgs) => SharedAudience | null {
  const analyses = new WeakMap<DocumentNode, Analysis>();

  function withRole(viewer: Viewer, scoped: boolean): StandIn {
    const role = roleOf(viewer, scoped);
    return { viewer: anonymous(role), viewerKey: role ?? (scoped ? 'nobody' : 'public') };
  }

  return ({ document, operationName, variableValues, contextValue }) => {
    let analysis = analyses.get(document);
    if (analysis === undefined) {
      analysis = analyse(schema, document);
      analyses.set(document, analysis);
    }
    const { hash, owned, scoped, recorded, resumption } = analysis;
    if (hash === null) return null;
    const given = Object.entries(variableValues ?? {}).filter(([name]) => !resumption.has(name));
    const values = given.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const { viewer } = contextValue as Context;
    const standIn = owned ? ownerAlone(viewer) : withRole(viewer, scoped);
    if (standIn === null) return null;
    // Documents, variables and tokens are long; as a hash they take the same little memory for each subscription.
    const key = hashOf(JSON.stringify([hash, operationName ?? null, values, standIn.viewerKey]));
    // The names of owners are long too, and an owner seldom has several documents.
    return { key, viewer: standIn.viewer, viewerKey: owned ? key : standIn.viewerKey, isRecorded: recorded };
  };
}

/** The role of the stand-in. Customers and guests are one audience unless a field is restricted by role. */
function roleOf({ user }: Viewer, scoped: boolean): AuthenticatedUser['role'] | null {
  return user === null || (user.role === 'CUSTOMER' && !scoped) ? null : user.role;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function analyse(schema: GraphQLSchema, document: DocumentNode): Analysis {
  const types = new TypeInfo(schema);
  let [shared, owned, scoped, recorded] = [true, false, false, true];
  const resumption = new Set<string>();
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const [parent, field] = [types.getParentType(), types.getFieldDef()];
        if (parent == null || field == null || field.name.startsWith('__')) return;
        const isRoot = parent === schema.getSubscriptionType();
        const { extensions } = isRoot ? field : parent;
        if (extensions.sharedAmongViewers !== true) owned = true;
        if (extensions.sharedAmongViewers !== true && extensions.sharedAmongDevices !== true) shared = false;
        // A limit counts the address of who asks.
        const limits = declaredLimitsOf(field);
        if (!isRoot && limits !== undefined && limits !== GENERAL) shared = false;
        if (isScoped(field) || isScoped(parent)) scoped = true;
        const isScalar = isLeafType(getNamedType(field.type));
        if (!isRoot && !(isScalar && extensions.recordedInEvent === true)) recorded = false;
      },
    }),
  );
  if (!shared) return { hash: null, owned, scoped, recorded, resumption };
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
  // A variable that is also used elsewhere, perhaps in another operation of the document, still distinguishes audiences.
  let isAmbiguous = false;
  visit(plain, {
    VariableDefinition: () => false,
    Variable({ name }) {
      if (resumption.has(name.value)) isAmbiguous = true;
    },
  });
  return { hash: isAmbiguous ? null : hashOf(print(plain)), owned, scoped, recorded, resumption };
}

interface Extended {
  extensions: Readonly<Record<string, unknown>>;
}

/** Whether the type or field has auth scopes. */
function isScoped({ extensions }: Extended | GraphQLField<unknown, unknown>): boolean {
  return (extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes !== undefined;
}

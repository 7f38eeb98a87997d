import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { getDatamodel } from '../generated/pothos-prisma-types.ts';
import type PrismaTypes from '../generated/pothos-prisma-types.ts';
import type { Context } from './context.ts';
import { requestError } from './request-error.ts';
import { isAdmin, isStaff } from './viewer.ts';

/** The most that one operation may cost: a field is 1, what stands in a list counts for each item. */
export const MAX_COST = 20_000;

/** The most that an event of a subscription may cost: it is executed again and again, whether its client reads or not. */
export const MAX_EVENT_COST = 1_000;

/** What a field in a plain list (the variants of a product, the lines of a cart) is taken to cost times. */
const LIST_MULTIPLIER = 5;

/** Who may: types and fields name what they need of these in `authScopes`. */
interface Scopes {
  /** Somebody is logged in. */
  user: boolean;
  /** STAFF or ADMIN. */
  staff: boolean;
  admin: boolean;
}

/** Where the schema is put together; each noun adds its types and fields in a file of its own. */
export const builder = new SchemaBuilder<{
  Context: Context;
  PrismaTypes: PrismaTypes;
  AuthScopes: Scopes;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Decimal: { Input: string; Output: string };
    EventCursor: { Input: string; Output: string };
    CurrencyCode: { Input: string; Output: string };
  };
}>({
  plugins: [ScopeAuthPlugin, ComplexityPlugin, RelayPlugin, PrismaPlugin],
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      user: viewer.user !== null,
      staff: isStaff(viewer),
      admin: isAdmin(viewer),
    }),
    // In its place alone: the rest of the answer stands.
    unauthorizedError: (_parent, { viewer }) =>
      viewer.user === null
        ? requestError('UNAUTHENTICATED', 'Log in first.')
        : requestError('FORBIDDEN', 'This is not for somebody of your role.'),
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: LIST_MULTIPLIER,
    limit: { complexity: MAX_COST },
    complexityError: (_kind, { complexity }) =>
      requestError(
        'TOO_COSTLY',
        `The operation costs ${complexity}; the most is ${MAX_COST}. Ask for fewer items at a time.`,
      ),
  },
  relay: {
    cursorType: 'String',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'Anything with a global ID.' },
    idFieldOptions: { description: 'Names it among everything in the shop. Opaque.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list.' },
    hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether the list has something before this page.' },
    startCursorFieldOptions: { description: "The first item's cursor." },
    endCursorFieldOptions: { description: "The last item's cursor." },
    firstArgOptions: { description: 'Items from the start; 20 unless told, 100 at most.' },
    lastArgOptions: { description: 'Items from the end; 100 at most.' },
    afterArgOptions: { description: 'Begin after this cursor.' },
    beforeArgOptions: { description: 'End before this cursor.' },
  },
  prisma: {
    client: ({ prisma }) => prisma,
    dmmf: getDatamodel(),
    // A look-up that finds nothing uses no query, and is no cause for a warning. That one is used where it should be is
    // shown by the counts of statements.
    onUnusedQuery: null,
  },
});

builder.queryType({ description: 'What can be read.' });
builder.mutationType({ description: 'What can be done. Expected faults are in `errors`; the result is null then.' });
builder.subscriptionType({
  description: `Served over WebSocket (graphql-transport-ws) and over SSE, on the same path as queries.
Lists of IDs: null or left out is all, empty is none, both lists are the union; at most 100 IDs. Events of products that are
not ACTIVE go to staff alone. \`after\` first replays what happened since that cursor, then goes on live, with no gap and no
repeat; a cursor that the log does not lead on from is CURSOR_EXPIRED: read anew and subscribe again. A consumer that falls
too far behind is ended with LAGGED: subscribe again after the last cursor it saw.`,
});

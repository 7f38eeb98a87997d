import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { getDatamodel } from '../../generated/pothos-prisma-types.ts';
import type PrismaTypes from '../../generated/pothos-prisma-types.ts';
import type { Context } from '../context/context.ts';
import { requestError } from '../context/request-error.ts';
import { KEPT } from './kept.ts';
import { isAdmin, isStaff } from '../context/viewer.ts';

/** The most that one operation may cost: a field is 1, what stands in a list counts for each item. */
export const MAX_COST = 20_000;

/** The most that an event of a subscription may cost: it is executed again and again, whether its client reads or not. */
export const MAX_EVENT_COST = 1_000;

/** What a field in a plain list (the variants of a product, the lines of a cart) is taken to cost times. */
const LIST_MULTIPLIER = 5;

/** Permissions that types and fields require in `authScopes`. */
interface Scopes {
  /** A user is logged in. */
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
        : requestError('FORBIDDEN', 'Your role does not permit this.'),
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: LIST_MULTIPLIER,
    limit: { complexity: MAX_COST },
    complexityError: (_kind, { complexity }) =>
      requestError(
        'TOO_COSTLY',
        `The operation costs ${complexity}, but the maximum is ${MAX_COST}. Request fewer items at a time.`,
      ),
  },
  relay: {
    cursorType: 'String',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'An object with a global ID.' },
    idFieldOptions: { description: 'Global ID, unique among all objects of the shop. The format is opaque.' },
    pageInfoTypeOptions: { description: 'Position of a page in its list.', extensions: KEPT },
    hasNextPageFieldOptions: { description: 'Whether more items follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether more items precede this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first item. Null if the page is empty.' },
    endCursorFieldOptions: { description: 'Cursor of the last item. Null if the page is empty.' },
    firstArgOptions: {
      description: 'Number of items to return from the start of the list. Defaults to 20; at most 100.',
    },
    lastArgOptions: { description: 'Number of items to return from the end of the list; at most 100.' },
    afterArgOptions: { description: 'Cursor of the item after which to start.' },
    beforeArgOptions: { description: 'Cursor of the item before which to end.' },
  },
  prisma: {
    client: ({ db }) => db.prisma,
    dmmf: getDatamodel(),
    // A look-up that finds nothing uses no query, and is no cause for a warning. That one is used where it should be is
    // shown by the counts of statements.
    onUnusedQuery: null,
  },
});

builder.queryType({ description: 'All queries.' });
builder.mutationType({
  description:
    'All mutations. Expected errors are returned in the field `errors` of the payload. The result field is then null, ' +
    'except where a mutation can succeed in part, such as `cartReclaim`.',
});
builder.subscriptionType({
  description:
    'All subscriptions, over WebSocket (`graphql-transport-ws`) and Server-Sent Events, on the same path as ' +
    'queries. Lists of IDs have at most 100 entries: without lists, everything ' +
    'is followed; otherwise, the objects in any of the lists, and an empty list adds none. Events about products that are not ACTIVE are delivered to staff only. With ' +
    '`after`, a subscription first delivers all events since that cursor and then continues with new ones, ' +
    'without gaps or repetitions. If the event log does not reach back to the cursor, the subscription fails ' +
    'with CURSOR_EXPIRED: run the query again and subscribe after its cursor. A subscriber that reads too ' +
    'slowly is disconnected with LAGGED: subscribe again after the last cursor received.',
});

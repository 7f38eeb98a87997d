import type { ObjectRef } from '@pothos/core';
import { MAX_COUNTED } from '../../infra/postgres/count.ts';
import { builder } from './builder.ts';
import type { Connection } from './connection.ts';
import { SnapshotRef } from './snapshot.ts';

type SchemaTypes = (typeof builder)['$inferSchemaTypes'];

/** How exact a count is. */
export const CountPrecisionRef = builder.enumType('CountPrecision', {
  description: 'Precision of a count.',
  values: {
    EXACT: { description: 'The count is exact.' },
    AT_LEAST: { description: 'The actual number is higher than the count. Display it as `1,000+`.' },
  },
} as const);

/**
 * Declares a Relay connection over a type: `XConnection` and `XEdge`, with `nodes` and a `totalCount` that is
 * counted only when selected. Fields take `args: t.arg.connectionArgs()` and resolve through `pageOf` and `toConnection`.
 * @param extensions of both types, such as KEPT
 */
export function connectionType<Row extends object>(
  node: ObjectRef<SchemaTypes, Row, Row>,
  what: string,
  extensions: Readonly<Record<string, unknown>> = {},
): ObjectRef<SchemaTypes, Connection<Row>, Connection<Row>> {
  const edge = builder.objectRef<{ node: Row; cursor: string }>(`${node.name}Edge`).implement({
    extensions,
    description: `An item in a list of ${what}.`,
    fields: (t) => ({
      node: t.field({
        type: node,
        nullable: false,
        description: 'The item.',
        resolve: (parent) => parent.node as never,
      }),
      cursor: t.exposeString('cursor', {
        nullable: false,
        description: 'Cursor of the item, for `after` and `before`.',
      }),
    }),
  });
  return builder.objectRef<Connection<Row>>(`${node.name}Connection`).implement({
    extensions,
    description: `A page of a list of ${what}.`,
    interfaces: [SnapshotRef],
    fields: (t) => ({
      // The page's size is counted by the field that gives the connection.
      edges: t.field({
        type: [edge],
        nullable: { list: false, items: false },
        description: 'Items with their cursors.',
        complexity: { field: 0, multiplier: 1 },
        resolve: (parent) => parent.edges,
      }),
      nodes: t.field({
        type: [node],
        nullable: { list: false, items: false },
        description: 'Items without their cursors.',
        complexity: { field: 0, multiplier: 1 },
        resolve: (parent) => parent.edges.map((item) => item.node),
      }),
      pageInfo: t.field({
        type: builder.pageInfoRef(),
        nullable: false,
        description: 'Position of the page in the list.',
        resolve: (parent) => parent.pageInfo,
      }),
      totalCount: t.int({
        nullable: false,
        description: `Number of items on all pages, at most ${MAX_COUNTED.toLocaleString('en')}; see \`totalCountPrecision\`. Items are counted only if the field is selected.`,
        resolve: async (parent) => (await parent.total()).count,
      }),
      totalCountPrecision: t.field({
        type: CountPrecisionRef,
        nullable: false,
        description: 'Whether `totalCount` is exact.',
        resolve: async (parent) => (await parent.total()).precision,
      }),
    }),
  });
}

import { brandWithType } from '@pothos/core';
import DataLoader from 'dataloader';
import { builder } from './builder.ts';
import { MAX_PAGE } from './connection.ts';
import type { Context } from '../context/context.ts';
import { parseGlobalId } from './global-id.ts';
import { requestError } from '../context/request-error.ts';

/** Reads objects of one type by ID; null if an object does not exist or the viewer may not see it. */
type NodeReader = (ids: string[], ctx: Context) => Promise<readonly (object | null)[]>;

const readers = new Map<string, NodeReader>();

/** Registers how `node` and `nodes` load objects of a type. The reader checks permissions. */
export function registerNode(typename: string, read: NodeReader): void {
  readers.set(typename, read);
}

const loaders = new WeakMap<Context, DataLoader<string, object | null>>();

/**
 * An object of any type by its global ID, for fields that lead to one; null where it is not there, or not for the viewer to
 * see. What the same operation asks for at the same time is read together.
 */
export function loadNode(ctx: Context, globalId: string): Promise<object | null> {
  let loader = loaders.get(ctx);
  if (loader === undefined) {
    loader = new DataLoader((ids) => readNodes(ids, ctx), { cache: false });
    loaders.set(ctx, loader);
  }
  return loader.load(globalId);
}

async function readNodes(globalIds: readonly string[], ctx: Context): Promise<(object | null)[]> {
  const parsed = globalIds.map(parseGlobalId);
  const found = new Map<string, object | null>();
  const typenames = new Set(parsed.flatMap((id) => (id === null ? [] : [id.typename])));
  await Promise.all(
    [...typenames].map(async (typename) => {
      const read = readers.get(typename);
      if (read === undefined) return;
      const ids = [...new Set(parsed.flatMap((id) => (id?.typename === typename ? [id.id] : [])))];
      const rows = await read(ids, ctx);
      for (const [index, row] of rows.entries()) {
        if (row !== null) brandWithType(row, typename as never);
        found.set(`${typename}:${ids[index]}`, row);
      }
    }),
  );
  return parsed.map((id) => (id === null ? null : (found.get(`${id.typename}:${id.id}`) ?? null)));
}

builder.queryFields((t) => ({
  node: t.field({
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: 'An object, by global ID. Null if there is none or the viewer may not see it.',
    args: { id: t.arg.id({ required: true, description: 'Global ID of the object.' }) },
    resolve: async (_root, { id }, ctx) => {
      if (parseGlobalId(id) === null) throw requestError('BAD_REQUEST', '`id` is not an ID of this shop.');
      const [node] = await readNodes([id], ctx);
      return node ?? null;
    },
  }),
  nodes: t.field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description:
      'Objects, by global ID, in the order of `ids`. An entry is null if the ID is invalid, or if the viewer may ' +
      'not see the object.',
    args: { ids: t.arg.idList({ required: true, description: 'Global IDs of the objects, at most 100.' }) },
    complexity: ({ ids }) => ({ field: 1, multiplier: Math.min(Math.max(ids.length, 1), MAX_PAGE) }),
    resolve: (_root, { ids }, ctx) => {
      if (ids.length > MAX_PAGE) throw requestError('BAD_REQUEST', `\`ids\` may have at most ${MAX_PAGE} IDs.`);
      return readNodes(ids, ctx);
    },
  }),
}));

import { z } from 'zod';
import { MAX_COUNTED } from '../../infra/postgres/count.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { parseInstant } from './instant.ts';
import { requestError } from '../context/request-error.ts';

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

interface ConnectionArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** What the cursors of a list hold: its name, so that those of another list are none of this one, and a row's place. */
export interface CursorType {
  list: string;
  values: readonly z.ZodType[];
}

// The longest value is a title without its accents: of 300 characters at most, each of which may become five.
const cursorValues = z.array(z.string().max(2000)).max(5);

/** The place of a row in a list, for clients. */
export function encodeCursor({ list }: CursorType, values: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...values])).toString('base64url');
}

const shapes = new WeakMap<CursorType, z.ZodType>();

/** What a cursor of a list looks like, made once for each list. */
function shapeOf(type: CursorType): z.ZodType {
  let shape = shapes.get(type);
  if (shape === undefined) {
    shape = z.tuple([z.literal(type.list), ...type.values]);
    shapes.set(type, shape);
  }
  return shape;
}

/** The values in a cursor that clients sent as this argument; of another list it is a BAD_REQUEST. */
export function decodeCursor(cursor: string, name: string, type: CursorType): string[] {
  try {
    const [list, ...values] = cursorValues.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    shapeOf(type).parse([list, ...values]);
    return values;
  } catch {
    throw requestError('BAD_REQUEST', `\`${name}\` is not a cursor of this list.`);
  }
}

/** Whether a cursor names this list. Its values may still be wrong. */
export function isCursorOf(cursor: string, type: CursorType): boolean {
  try {
    return (JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[])[0] === type.list;
  } catch {
    return false;
  }
}

const INT = /^-?\d{1,10}$/;
// As PostgreSQL writes a timestamptz; further from Greenwich there are no zones, for it.
const INSTANT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-](?:0\d|1[0-5]))(:[0-5]\d)?$/;

/** What the values in a list's cursors look like: what passes here, PostgreSQL takes. */
export const cursorTypes = {
  text: z.string().refine((text) => !text.includes('\0')),
  int: z.string().refine((text) => INT.test(text) && Number(text) === (Number(text) | 0)),
  bigint: z.string().regex(/^[1-9]\d{0,17}$/),
  amount: z.string().regex(/^(0|[1-9]\d{0,17})$/),
  uuid: z.guid(),
  instant: z.string().refine((text) => {
    const [, date, time, hours, minutes = ':00'] = INSTANT.exec(text) ?? [];
    return parseInstant(`${date}T${time}${hours}${minutes}`) !== null;
  }),
};

/** The page that Relay's arguments ask for. A cursor of another list is a BAD_REQUEST, not SQL. */
export function pageOf(args: ConnectionArguments, type: CursorType): PageRequest {
  const { first, after, last, before } = args;
  const backward = last !== null && last !== undefined;
  const forward = first !== null && first !== undefined;
  if (forward && backward) throw requestError('BAD_REQUEST', 'Specify either `first` or `last`, not both.');
  const [size, cursor, other] = backward ? [last, before, after] : [first ?? DEFAULT_PAGE, after, before];
  const name = backward ? 'last' : 'first';
  if (size < 0 || size > MAX_PAGE) throw requestError('BAD_REQUEST', `\`${name}\` must be between 0 and ${MAX_PAGE}.`);
  if (other !== null && other !== undefined) {
    throw requestError(
      'BAD_REQUEST',
      'Use `first` with `after` to page forward, or `last` with `before` to page backward.',
    );
  }
  return {
    limit: size,
    direction: backward ? 'backward' : 'forward',
    cursor: cursor === null || cursor === undefined ? null : decodeCursor(cursor, backward ? 'before' : 'after', type),
  };
}

/** How exact a count is. */
export type CountPrecision = 'EXACT' | 'AT_LEAST';

/** A count that stops where lists are no longer counted. */
export interface TotalCount {
  count: number;
  precision: CountPrecision;
}

/** A connection as resolvers give it. The total is counted only when a field asks for it, and then once. */
export interface Connection<Row> {
  edges: { node: Row; cursor: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  total: () => Promise<TotalCount>;
}

/**
 * Shapes a page as Relay wants it.
 * @param counted gives the number of items on all pages, exactly or anything above `MAX_COUNTED`
 */
export function toConnection<Row extends object>(
  page: Page<Row>,
  type: CursorType,
  counted: () => Promise<number>,
): Connection<Row> {
  let total: Promise<TotalCount> | undefined;
  // Cursors are made only where they are asked for: a page without them may not even have read the values.
  const edges = page.rows.map((row) => ({
    node: row as Row,
    get cursor() {
      return encodeCursor(type, row.cursor);
    },
  }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      get startCursor() {
        return edges[0]?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
    total: () => (total ??= counted().then(toTotal)),
  };
}

/** A count that stopped above `MAX_COUNTED`, as clients see it. */
export function toTotal(counted: number): TotalCount {
  return { count: Math.min(counted, MAX_COUNTED), precision: counted > MAX_COUNTED ? 'AT_LEAST' : 'EXACT' };
}

/** What a connection costs by its page: for the cost ceiling. */
export function pageCost(args: ConnectionArguments): { field: number; multiplier: number } {
  const asked = args.first ?? args.last ?? DEFAULT_PAGE;
  return { field: 1, multiplier: Math.min(Math.max(asked, 1), MAX_PAGE) };
}

/** A page that was asked for: how many, from which end, and beyond what. */
export interface PageRequest {
  /** Rows at most. */
  limit: number;
  /** From the start of the list (`first`, `after`) or from its end (`last`, `before`). */
  direction: 'forward' | 'backward';
  /** The sort values of the row beyond which the page begins; null: the list's own end. */
  cursor: readonly string[] | null;
}

/** A page that was found, in the list's own order whatever the direction. */
export interface Page<Row> {
  rows: (Row & { cursor: readonly string[] })[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

/** One term of a total order. The last one must be unique. */
export interface SortTerm {
  /** SQL of the value. */
  expression: string;
  /** The type that the text in a cursor is cast back to. */
  type: string;
  descending: boolean;
}

/**
 * SQL of keyset paging: a condition that begins after the cursor, an ORDER BY, and the cursor's values as a text array.
 * All terms are compared as one row where they run the same way, which lets an index serve it; else term by term.
 * (Markus Winand, "We need tool support for keyset pagination".)
 * @param parameter adds a value to the statement and gives its placeholder
 */
export function keyset(
  terms: readonly SortTerm[],
  page: PageRequest,
  parameter: (value: unknown) => string,
): { condition: string; orderBy: string; cursor: string } {
  const backward = page.direction === 'backward';
  const flips = terms.map((term) => term.descending !== backward);
  const orderBy = terms.map((term, i) => `${term.expression} ${flips[i] === true ? 'DESC' : 'ASC'}`).join(', ');
  const cursor = `ARRAY[${terms.map((term) => `(${term.expression})::text`).join(', ')}]`;
  if (page.cursor === null) return { condition: 'TRUE', orderBy, cursor };
  const values = terms.map((term, i) => `${parameter(page.cursor?.[i])}::${term.type}`);
  if (flips.every((flip) => flip === flips[0])) {
    const operator = flips[0] === true ? '<' : '>';
    const row = terms.map((term) => term.expression).join(', ');
    return { condition: `(${row}) ${operator} (${values.join(', ')})`, orderBy, cursor };
  }
  const alternatives = terms.map((term, i) => {
    const equal = terms.slice(0, i).map((earlier, j) => `${earlier.expression} = ${values[j]}`);
    return `(${[...equal, `${term.expression} ${flips[i] === true ? '<' : '>'} ${values[i]}`].join(' AND ')})`;
  });
  return { condition: `(${alternatives.join(' OR ')})`, orderBy, cursor };
}

/** Makes a page of `limit + 1` rows as they were selected. */
export function toPage<Row extends { cursor: readonly string[] }>(found: readonly Row[], page: PageRequest): Page<Row> {
  const more = found.length > page.limit;
  const rows = found.slice(0, page.limit);
  const backward = page.direction === 'backward';
  if (backward) rows.reverse();
  return {
    rows,
    // A cursor implies that there are rows on its other side.
    hasNextPage: backward ? page.cursor !== null : more,
    hasPreviousPage: backward ? more : page.cursor !== null,
  };
}

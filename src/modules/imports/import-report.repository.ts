import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';
import type { Finding } from './findings.ts';

/** A finding in the report of an import. */
export interface FindingRow extends Finding {
  kind: 'REJECTION' | 'NOTE';
}

/** A page of an import's findings, in the order in which they were found. */
export async function findFindings(source: Queryable, importId: string, page: PageRequest): Promise<Page<FindingRow>> {
  const values: unknown[] = [importId];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const inOrder = [{ expression: 'f.number', type: 'int', descending: false }];
  const { condition, orderBy, cursor } = keyset(inOrder, page, parameter);
  const rows = await source.query<FindingRow & { cursor: string[] }>(
    {
      name: `product_import_findings_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT f.kind, f.line, f."row", f.handle, f."column", f.message, ${cursor} AS cursor FROM product_import_findings f
              WHERE f.import_id = $1 AND ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many findings of an import are kept, as far as lists count. */
export function countFindings(source: Queryable, importId: string): Promise<number> {
  const text = 'SELECT FROM product_import_findings WHERE import_id = $1';
  return countUpTo(source, text, [importId], 'product_import_findings_count');
}

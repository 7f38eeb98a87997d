import pg from 'pg';
import type { Database } from '../../src/infra/postgres/database.ts';

/** A statement with its values, as it was sent. */
export interface SentQuery {
  text: string;
  values: unknown[];
}

/** Runs some work and gives the statements with values that this process sent meanwhile. */
export async function recordQueries(work: () => Promise<unknown>): Promise<SentQuery[]> {
  const queries: SentQuery[] = [];
  const real = pg.Client.prototype.query;
  const query = function query(this: pg.Client, ...args: unknown[]): unknown {
    const { text, values } = (args[0] ?? {}) as Partial<SentQuery>;
    if (text !== undefined && values !== undefined && !text.includes('event_')) queries.push({ text, values });
    return Reflect.apply(real, this, args);
  };
  pg.Client.prototype.query = query as typeof real;
  try {
    await work();
    return queries;
  } finally {
    pg.Client.prototype.query = real;
  }
}

interface PlanNode {
  'Node Type': string;
  'Subplan Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** Every row that the nodes of a plan looked at, those that a filter removed among them. */
function touched(node: PlanNode): number {
  const own =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  // The rows of a subquery or of a CTE are counted where they come from.
  const isScan = node['Node Type'].includes('Scan') && !/^(Subquery|CTE) Scan$/.test(node['Node Type']);
  const scans = isScan ? own * node['Actual Loops'] : 0;
  return scans + (node.Plans ?? []).reduce((sum, child) => sum + touched(child), 0);
}

/** Runs EXPLAIN ANALYZE. Pages are priced as in memory, so that a table of a test's size is read by the indexes by which a large one is. */
function plansOf(db: Database, queries: readonly SentQuery[]): Promise<PlanNode[]> {
  return db.transaction(async (tx) => {
    await tx.query({ text: 'SET LOCAL seq_page_cost = 0.1' });
    await tx.query({ text: 'SET LOCAL random_page_cost = 0.1' });
    const plans: PlanNode[] = [];
    for (const { text, values } of queries) {
      const rows = await tx.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        { text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}` },
        values,
      );
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (plan === undefined) throw new Error(`no plan of ${text}`);
      plans.push(plan);
    }
    return plans;
  });
}

/** How many rows of tables and indexes PostgreSQL looks at for statements: what their cost grows with. */
export async function rowsTouched(db: Database, queries: readonly SentQuery[]): Promise<number> {
  return (await plansOf(db, queries)).reduce((sum, plan) => sum + touched(plan), 0);
}

/** Names of the CTEs of a statement that were executed. */
export async function executedCtes(db: Database, query: SentQuery): Promise<string[]> {
  const names = (node: PlanNode): string[] => {
    const name = node['Subplan Name'];
    const own = name?.startsWith('CTE ') === true && node['Actual Loops'] > 0 ? [name.slice(4)] : [];
    return [...own, ...(node.Plans ?? []).flatMap(names)];
  };
  return (await plansOf(db, [query])).flatMap(names);
}

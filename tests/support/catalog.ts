import pg from 'pg';

/**
 * What a database consists of, one line per column, key, index and enum, sorted. CHECKs, triggers and functions are left
 * out: Prisma's schema knows nothing of them.
 */
export async function describeDatabase(connectionString: string): Promise<string[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`
      WITH tables AS (
        SELECT oid, relname FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> '_prisma_migrations'
      )
      SELECT concat_ws(' ', 'column', relname || '.' || attname, format_type(atttypid, atttypmod),
               CASE WHEN attnotnull THEN 'NOT NULL' END,
               CASE attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY' END,
               CASE WHEN attgenerated = '' THEN 'DEFAULT ' ELSE 'GENERATED ' END || pg_get_expr(adbin, adrelid)) AS line
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      UNION ALL
      SELECT concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(c.oid))
        FROM tables JOIN pg_constraint c ON conrelid = tables.oid AND contype IN ('p', 'f', 'u', 'x')
      UNION ALL
      SELECT concat_ws(' ', 'index', relname, pg_get_indexdef(indexrelid)) FROM tables JOIN pg_index ON indrelid = tables.oid
      UNION ALL
      SELECT concat_ws(' ', 'enum', typname, string_agg(enumlabel, ',' ORDER BY enumsortorder))
        FROM pg_type JOIN pg_enum ON enumtypid = pg_type.oid WHERE typnamespace = 'public'::regnamespace GROUP BY typname`);
    return rows.map((row) => row.line).toSorted();
  } finally {
    await client.end();
  }
}

import type { RetentionRule } from '../../infra/postgres/retention.ts';

/** Days for which files and reports are kept after the last run. */
export const FILE_DAYS = 7;
export const IMPORT_DAYS = 90;

/** Files, which take the most room: a report can be read without its file. */
export const importFileRetention: RetentionRule = {
  name: 'files of product imports',
  remove: {
    name: 'retention_product_import_files',
    text: `WITH old AS (
             SELECT id FROM product_imports
              WHERE is_file_kept AND status NOT IN ('QUEUED', 'RUNNING')
                AND updated_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
              ORDER BY id LIMIT $1 OFFSET $2 FOR NO KEY UPDATE SKIP LOCKED
           ), gone AS (DELETE FROM product_import_pieces WHERE import_id IN (SELECT id FROM old))
           UPDATE product_imports i SET is_file_kept = false FROM old WHERE i.id = old.id RETURNING 1`,
  },
  values: [FILE_DAYS],
};

/** Imports with their reports. */
export const importRetention: RetentionRule = {
  name: 'product imports',
  remove: {
    name: 'retention_product_imports',
    text: `DELETE FROM product_imports WHERE id IN (
             SELECT id FROM product_imports
              WHERE status NOT IN ('QUEUED', 'RUNNING') AND updated_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
              ORDER BY created_at, id LIMIT $1 OFFSET $2 FOR UPDATE SKIP LOCKED
           ) RETURNING 1`,
  },
  values: [IMPORT_DAYS],
};

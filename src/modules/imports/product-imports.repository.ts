import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';
import type { Finding } from './findings.ts';

export type ProductImportStatus = 'UPLOADING' | 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** How far a run has come. `made` and the like count products. */
export interface Progress {
  rows: number;
  products: number;
  made: number;
  changed: number;
  unchanged: number;
  refused: number;
}

/** An import of a product file. */
export interface ProductImportRow extends Progress {
  id: string;
  fileName: string;
  status: ProductImportStatus;
  dryRun: boolean;
  sizeBytes: number;
  isFileKept: boolean;
  /** Rows of the file; null until it has been read. */
  rowCount: number | null;
  findings: number;
  unknownColumns: string[];
  fault: string | null;
  actorId: string | null;
  attempts: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

const COLUMNS = `i.id, i.file_name AS "fileName", i.status, i.dry_run AS "dryRun", i.size_bytes AS "sizeBytes",
  i.is_file_kept AS "isFileKept", i.row_count AS "rowCount", i.done_rows AS rows, i.done_products AS products, i.created AS made,
  i.changed, i.unchanged, i.rejected AS refused, i.findings, i.unknown_columns AS "unknownColumns", i.fault,
  i.actor_id AS "actorId", i.attempts, i.created_at AS "createdAt", i.started_at AS "startedAt", i.finished_at AS "finishedAt"`;

const insert: Statement = {
  name: 'product_import_insert',
  text: `INSERT INTO product_imports (id, file_name, actor_id, created_at, updated_at)
         VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp())`,
};

export async function insertImport(
  tx: Queryable,
  { id, fileName, actorId }: Pick<ProductImportRow, 'id' | 'fileName' | 'actorId'>,
): Promise<void> {
  await tx.query(insert, [id, fileName, actorId]);
}

const lock: Statement = {
  name: 'product_import_lock',
  text: `SELECT ${COLUMNS} FROM product_imports i WHERE i.id = $1 FOR NO KEY UPDATE`,
};

/** An import under its lock; null where there is none. */
export async function lockImport(tx: Queryable, id: string): Promise<ProductImportRow | null> {
  const [row] = await tx.query<ProductImportRow>(lock, [id]);
  return row ?? null;
}

const byIds: Statement = {
  name: 'product_imports_by_ids',
  text: `SELECT ${COLUMNS} FROM product_imports i WHERE i.id = ANY($1::uuid[])`,
};

/** Imports by id, in no order. */
export function findImports(source: Queryable, ids: readonly string[]): Promise<ProductImportRow[]> {
  return source.query<ProductImportRow>(byIds, [ids]);
}

const piece: Statement = {
  name: 'product_import_piece',
  text: 'SELECT bytes = $3::bytea AS same FROM product_import_pieces WHERE import_id = $1 AND "offset" = $2',
};

/** Whether the piece at an offset has these bytes; null where none begins there. */
export async function isSamePiece(tx: Queryable, id: string, offset: number, bytes: Buffer): Promise<boolean | null> {
  const [row] = await tx.query<{ same: boolean }>(piece, [id, offset, bytes]);
  return row?.same ?? null;
}

const append: Statement = {
  name: 'product_import_append',
  text: `WITH piece AS (INSERT INTO product_import_pieces (import_id, "offset", bytes) VALUES ($1, $2, $3::bytea))
         UPDATE product_imports SET size_bytes = $2 + length($3::bytea), updated_at = clock_timestamp() WHERE id = $1`,
};

/** Adds a piece at the end of the file; the caller has the import's lock. */
export async function appendPiece(tx: Queryable, id: string, offset: number, bytes: Buffer): Promise<void> {
  await tx.query(append, [id, offset, bytes]);
}

const nextPiece: Statement = {
  name: 'product_import_next_piece',
  text: `SELECT "offset", bytes FROM product_import_pieces WHERE import_id = $1 AND "offset" >= $2 ORDER BY "offset" LIMIT 1`,
};

/** The bytes of the file, piece by piece. */
export async function* readPieces(source: Queryable, id: string): AsyncGenerator<Buffer> {
  for (let offset = 0; ;) {
    const [row] = await source.query<{ offset: number; bytes: Buffer }>(nextPiece, [id, offset]);
    if (row === undefined) return;
    yield row.bytes;
    offset = row.offset + row.bytes.length;
  }
}

const clear: Statement = {
  name: 'product_import_clear_report',
  text: 'DELETE FROM product_import_findings WHERE import_id = $1',
};
const queue: Statement = {
  name: 'product_import_queue',
  text: `UPDATE product_imports SET status = 'QUEUED', dry_run = $2, actor_id = $3, runner = NULL, heartbeat_at = NULL, attempts = 0,
                row_count = NULL, done_rows = 0, done_products = 0, created = 0, changed = 0, unchanged = 0, rejected = 0, findings = 0,
                unknown_columns = '{}', fault = NULL, started_at = $4, finished_at = NULL, updated_at = $4 WHERE id = $1`,
};

/** Has an import wait for a run from the beginning; the caller has its lock. */
export async function queueImport(
  tx: Queryable,
  at: Date,
  { id, dryRun, actorId }: { id: string; dryRun: boolean; actorId: string },
): Promise<void> {
  await tx.query(clear, [id]);
  await tx.query(queue, [id, dryRun, actorId, at]);
}

const claim: Statement = {
  name: 'product_import_claim',
  text: `UPDATE product_imports i SET status = 'RUNNING', runner = $2, heartbeat_at = clock_timestamp(), attempts = attempts + 1,
                updated_at = clock_timestamp()
          WHERE i.id = $1 AND (i.status = 'QUEUED' OR
                (i.status = 'RUNNING' AND i.heartbeat_at < clock_timestamp() - make_interval(secs => $3)))
          RETURNING ${COLUMNS}`,
};

/**
 * Makes a process the one that runs an import: one that waits, or whose runner has been silent for so many seconds.
 * @returns null where there is nothing to run
 */
export async function claimImport(
  source: Queryable,
  id: string,
  runner: string,
  silentSeconds: number,
): Promise<ProductImportRow | null> {
  const [row] = await source.query<ProductImportRow>(claim, [id, runner, silentSeconds]);
  return row ?? null;
}

const beat: Statement = {
  name: 'product_import_beat',
  text: `UPDATE product_imports SET heartbeat_at = clock_timestamp() WHERE id = $1 AND runner = $2 AND status = 'RUNNING' RETURNING 1`,
};

/** Says that the runner is alive; false where the import is no longer its own, or was cancelled. */
export async function beatImport(source: Queryable, id: string, runner: string): Promise<boolean> {
  return (await source.query(beat, [id, runner])).length > 0;
}

const release: Statement = {
  name: 'product_import_release',
  text: `UPDATE product_imports SET status = 'QUEUED', runner = NULL, heartbeat_at = NULL, updated_at = clock_timestamp()
          WHERE id = $1 AND runner = $2 AND status = 'RUNNING'`,
};

/** Gives an import back, to be gone on with from its last checkpoint. */
export async function releaseImport(source: Queryable, id: string, runner: string): Promise<void> {
  await source.query(release, [id, runner]);
}

/** What a run writes at a checkpoint, and at its end. */
export interface Checkpoint {
  progress: Progress;
  rowCount: number | null;
  unknownColumns: readonly string[];
  /** How many findings there are, also those that are not kept. */
  findings: number;
  /** To be added to the report. */
  report: readonly (Finding & { kind: 'REJECTION' | 'NOTE'; number: number })[];
  status?: 'COMPLETED' | 'FAILED';
  fault?: string;
}

// A run that was cancelled says how far it came, and changes nothing else.
const checkpoint: Statement = {
  name: 'product_import_checkpoint',
  text: `UPDATE product_imports SET row_count = $3, done_rows = $4, done_products = $5, created = $6, changed = $7, unchanged = $8,
                rejected = $9, findings = $10, unknown_columns = $11::text[], attempts = 0, heartbeat_at = $14,
                status = CASE WHEN status = 'RUNNING' THEN coalesce($12::product_import_status, status) ELSE status END,
                fault = CASE WHEN status = 'RUNNING' THEN $13 END,
                finished_at = CASE WHEN $12 IS NULL THEN finished_at ELSE $14 END, updated_at = $14
          WHERE id = $1 AND runner = $2 RETURNING status`,
};
const addFindings: Statement = {
  name: 'product_import_add_findings',
  text: `INSERT INTO product_import_findings (import_id, number, kind, line, "row", handle, "column", message)
         SELECT $1, f.* FROM unnest($2::int[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[]) AS f`,
};

/** Writes how far a run has come. @returns the import's status; null where another process runs it */
export async function writeCheckpoint(
  tx: Queryable,
  at: Date,
  { id, runner }: { id: string; runner: string },
  point: Checkpoint,
): Promise<ProductImportStatus | null> {
  const { rows, products, made, changed, unchanged, refused } = point.progress;
  const counts = [rows, products, made, changed, unchanged, refused, point.findings];
  const end = [point.status ?? null, point.fault ?? null, at];
  const values = [id, runner, point.rowCount, ...counts, point.unknownColumns, ...end];
  const [row] = await tx.query<{ status: ProductImportStatus }>(checkpoint, values);
  if (row === undefined) return null;
  const { report } = point;
  if (report.length > 0) {
    await tx.query(addFindings, [
      id,
      report.map(({ number }) => number),
      report.map(({ kind }) => kind),
      report.map(({ line }) => line),
      report.map((finding) => finding.row),
      report.map(({ handle }) => handle),
      report.map(({ column }) => column),
      report.map(({ message }) => message),
    ]);
  }
  return row.status;
}

const cancel: Statement = {
  name: 'product_import_cancel',
  text: `UPDATE product_imports SET status = 'CANCELLED', finished_at = $2, updated_at = $2 WHERE id = $1`,
};

/** Cancels an import that waits or runs; the caller has its lock. */
export async function cancelImport(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(cancel, [id, at]);
}

const open: Statement = {
  name: 'product_imports_open',
  text: `SELECT id FROM product_imports
          WHERE status IN ('QUEUED', 'RUNNING')
            AND (status = 'QUEUED' OR heartbeat_at < clock_timestamp() - make_interval(secs => $2))
            AND updated_at < clock_timestamp() - make_interval(secs => $1)
          ORDER BY updated_at, id LIMIT 20`,
};

/** Imports that have waited for some seconds, or whose runner has been silent for so long. */
export async function findOpenImports(source: Queryable, waiting: number, silent: number): Promise<string[]> {
  return (await source.query<{ id: string }>(open, [waiting, silent])).map(({ id }) => id);
}

/** A page of imports, newest first. */
export async function findImportPage(source: Queryable, page: PageRequest): Promise<Page<ProductImportRow>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const newestFirst = [
    { expression: 'i.created_at', type: 'timestamptz', descending: true },
    { expression: 'i.id', type: 'uuid', descending: true },
  ];
  const { condition, orderBy, cursor } = keyset(newestFirst, page, parameter);
  const rows = await source.query<ProductImportRow & { cursor: string[] }>(
    {
      name: `product_imports_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT ${COLUMNS}, ${cursor} AS cursor FROM product_imports i
              WHERE ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many imports there are, as far as lists count. */
export function countImports(source: Queryable): Promise<number> {
  return countUpTo(source, 'SELECT FROM product_imports', [], 'product_imports_count');
}

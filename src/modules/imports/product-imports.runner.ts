import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { v4 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Finding } from './findings.ts';
import { FileError } from './import.errors.ts';
import type { ImportListener, ImportService } from './import.service.ts';
import { productImportChanged } from './product-imports.events.ts';
import * as repository from './product-imports.repository.ts';
import type { Checkpoint, ProductImportRow, ProductImportStatus } from './product-imports.repository.ts';

/** A runner that has been silent for so long is gone, and another process goes on from the last checkpoint. */
const SILENT_SECONDS = 30;
const BEAT_MS = 5_000;
/** Jobs come at once; what still waits after this has lost its job. */
const WAITING_SECONDS = 10;
/** Starts without any progress, after which it is the import that is at fault. */
const MAX_ATTEMPTS = 5;
/** Maximum number of findings that are kept of a run; all of them are counted. */
export const MAX_FINDINGS = 10_000;

/** Runs imports that staff have started. */
export interface ImportRunner {
  /**
   * Runs an import to its end, unless another process does. An interrupted run is continued later.
   * @param signal stops the run after the products in progress, and returns it to the queue
   * @throws the signal's reason if the run was returned to the queue, or the error of a failure that may pass
   */
  run(id: string, signal: AbortSignal): Promise<void>;
  /** Imports whose job was lost, or whose process is gone. */
  findLost(): Promise<string[]>;
}

/** Collects what a run finds until the next checkpoint. */
class Report {
  total: number;
  rowCount: number | null = null;
  unknownColumns: readonly string[] = [];
  #waiting: (Finding & { kind: 'REJECTION' | 'NOTE'; number: number })[] = [];

  constructor(total: number) {
    this.total = total;
  }

  readonly listener: ImportListener = {
    began: ({ rows, unknownColumns }) => {
      this.rowCount = rows;
      this.unknownColumns = unknownColumns;
    },
    progressed: () => {},
    refused: (finding) => this.#add('REJECTION', finding),
    noted: (finding) => this.#add('NOTE', finding),
  };

  #add(kind: 'REJECTION' | 'NOTE', finding: Finding): void {
    this.total += 1;
    if (this.total <= MAX_FINDINGS) this.#waiting.push({ ...finding, kind, number: this.total });
  }

  /** Gives what is to be written, and forgets it. */
  take(): Pick<Checkpoint, 'findings' | 'report' | 'rowCount' | 'unknownColumns'> {
    const report = this.#waiting;
    this.#waiting = [];
    return { findings: this.total, report, rowCount: this.rowCount, unknownColumns: this.unknownColumns };
  }
}

/** Wires the runner. */
export function createRunner(deps: { db: Database; eventLog: EventLog; imports: ImportService }): ImportRunner {
  const { db, eventLog, imports } = deps;

  function write(id: string, runner: string, point: Checkpoint): Promise<ProductImportStatus | null> {
    return db.transaction(async (tx) => {
      const at = await readClock(tx);
      const status = await repository.writeCheckpoint(tx, at, { id, runner }, point);
      if (status !== null) await eventLog.append(tx, at, [productImportChanged.of(id, { importId: id })]);
      return status;
    });
  }

  function claim(id: string, runner: string): Promise<ProductImportRow | null> {
    return db.transaction(async (tx) => {
      const claimed = await repository.claimImport(tx, id, runner, SILENT_SECONDS);
      if (claimed === null) return null;
      await eventLog.append(tx, await readClock(tx), [productImportChanged.of(id, { importId: id })]);
      return claimed;
    });
  }

  /** Runs what was claimed, from its last checkpoint on. */
  async function runClaimed(claimed: ProductImportRow, runner: string, signal: AbortSignal): Promise<void> {
    const { id, fileName, dryRun, actorId } = claimed;
    const { rows, products, made, changed, unchanged, refused } = claimed;
    const from = { rows, products, made, changed, unchanged, refused };
    const report = new Report(claimed.findings);
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) stop.abort();
    const beating = setInterval(() => {
      // A beat that fails is made up for by the next one.
      repository.beatImport(db, id, runner).then(
        (isOurs) => isOurs || stop.abort(),
        () => {},
      );
    }, BEAT_MS);
    const folder = await mkdtemp(join(tmpdir(), 'vitrine-import-'));
    try {
      const path = join(folder, 'products.csv');
      await pipeline(repository.readPieces(db, id), createWriteStream(path), { signal: stop.signal });
      const progress = await imports.run({
        ...{ path, dryRun, from, actorId, name: fileName },
        listener: report.listener,
        signal: stop.signal,
        async checkpoint(counts) {
          const status = await write(id, runner, { progress: { ...counts }, ...report.take() });
          if (status !== 'RUNNING') stop.abort();
        },
      });
      // Given back: the last checkpoint is where it goes on.
      signal.throwIfAborted();
      await write(id, runner, { progress, ...report.take(), status: 'COMPLETED' });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await write(id, runner, { progress: from, ...report.take(), status: 'FAILED', fault: error.message });
    } finally {
      clearInterval(beating);
      signal.removeEventListener('abort', onAbort);
      await rm(folder, { recursive: true, force: true });
    }
  }

  return {
    async run(id, signal) {
      const runner = uuid();
      const claimed = await claim(id, runner);
      if (claimed === null) return;
      const { rows, products, made, changed, unchanged, refused, findings, rowCount, unknownColumns } = claimed;
      if (claimed.attempts > MAX_ATTEMPTS) {
        const progress = { rows, products, made, changed, unchanged, refused };
        const fault = 'The import failed repeatedly because of an internal error. What was imported so far remains.';
        await write(id, runner, { progress, findings, rowCount, unknownColumns, report: [], status: 'FAILED', fault });
        return;
      }
      try {
        await runClaimed(claimed, runner, signal);
      } catch (error) {
        const [now] = await repository.findImports(db, [id]);
        // Cancelled while its file was being read.
        if (now?.status === 'CANCELLED') return;
        await repository.releaseImport(db, id, runner);
        signal.throwIfAborted();
        throw error;
      }
    },
    findLost: () => repository.findOpenImports(db, WAITING_SECONDS, SILENT_SECONDS),
  };
}

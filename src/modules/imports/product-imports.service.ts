import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { parseInput, plainText } from '../input.ts';
import { refuseInput } from '../invalid-input.ts';
import type { Nudges } from '../module.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import type { ImportService } from './import.service.ts';
import { productImportChanged } from './product-imports.events.ts';
import * as repository from './product-imports.repository.ts';
import * as reports from './import-report.repository.ts';
import type { FindingRow } from './import-report.repository.ts';
import type { ProductImportRow } from './product-imports.repository.ts';
import { createRunner, type ImportRunner } from './product-imports.runner.ts';

export type { FindingRow } from './import-report.repository.ts';
export type { ProductImportRow, ProductImportStatus } from './product-imports.repository.ts';

/** Largest file in bytes. The database has the same limit. */
export const MAX_FILE_BYTES = 20_000_000;
/** Largest piece of a file in bytes: in JSON, with its quotes escaped, it must fit into a request. */
export const MAX_PIECE_BYTES = 450_000;

/** Product files that staff upload and import. A file arrives in pieces; its import runs in the background. */
export interface ProductImportsService extends ImportRunner {
  /** Creates an import with the first piece of its file, which may be empty. @throws Refusal */
  create(actorId: string, input: { fileName: string; content: string }): Promise<ProductImportRow>;
  /**
   * Adds a piece of the file. A piece that has been added already, at the same place, changes nothing.
   * @param offset number of bytes before the piece
   * @throws Refusal CONFLICT if the piece does not begin where the file ends, or the import has been started
   */
  append(id: string, input: { offset: number; content: string }): Promise<ProductImportRow>;
  /** Starts a run from the beginning of the file, also after an earlier one. @throws Refusal */
  start(actorId: string, id: string, dryRun: boolean): Promise<ProductImportRow>;
  /** Stops a run after the products in progress. Has no effect on a run that has ended. @throws Refusal */
  cancel(actorId: string, id: string): Promise<ProductImportRow>;
  byIds(ids: readonly string[]): Promise<ProductImportRow[]>;
  /** Imports, newest first. */
  page(page: PageRequest): Promise<Page<ProductImportRow>>;
  count(): Promise<number>;
  findings(id: string, page: PageRequest): Promise<Page<FindingRow>>;
  findingCount(id: string): Promise<number>;
}

const fileName = z.object({ fileName: plainText(200) });

function bytesOf(content: string): Buffer {
  // Half a character cannot be stored: the client has cut the text in the middle of one.
  if (/\p{Cs}/u.test(content)) refuseInput('MALFORMED', 'content ends in the middle of a character.', ['content']);
  const bytes = Buffer.from(content, 'utf8');
  tooLarge(bytes.length, MAX_PIECE_BYTES, 'A piece of a file');
  return bytes;
}

function tooLarge(requested: number, limit: number, what: string): void {
  if (requested <= limit) return;
  const message = `${what} can have at most ${limit.toLocaleString('en')} bytes.`;
  throw new Refusal(new LimitExceededError({ message, path: ['content'], limit, requested }));
}

function refuseUnknown(): never {
  refuse('NOT_FOUND', 'Import not found.', ['id']);
}

/** Wires the imports. */
export function createProductImportsService(deps: {
  db: Database;
  eventLog: EventLog;
  staff: StaffService;
  nudges: Pick<Nudges, 'productImport'>;
  imports: ImportService;
}): ProductImportsService {
  const { db, eventLog, staff, nudges } = deps;

  async function read(tx: Transaction, id: string): Promise<ProductImportRow> {
    const [row] = await repository.findImports(tx, [id]);
    return row ?? refuseUnknown();
  }

  async function announceChange(tx: Transaction, at: Date, id: string): Promise<void> {
    await eventLog.append(tx, at, [productImportChanged.of(id, { importId: id })]);
  }

  return {
    ...createRunner(deps),

    async create(actorId, { fileName: name, content }) {
      const given = parseInput(fileName, { fileName: name });
      const bytes = bytesOf(content);
      return db.transaction(async (tx) => {
        const id = uuid();
        await repository.insertImport(tx, { id, fileName: given.fileName, actorId });
        if (bytes.length > 0) await repository.appendPiece(tx, id, 0, bytes);
        await announceChange(tx, await readClock(tx), id);
        return read(tx, id);
      });
    },

    async append(id, { offset, content }) {
      const bytes = bytesOf(content);
      if (bytes.length === 0) refuseInput('REQUIRED', 'content must not be empty.', ['content']);
      return db.transaction(async (tx) => {
        const found = (await repository.lockImport(tx, id)) ?? refuseUnknown();
        if ((await repository.isSamePiece(tx, id, offset, bytes)) === true) return found;
        if (found.status !== 'UPLOADING') refuse('CONFLICT', 'The import has already been started.', ['id']);
        if (offset !== found.sizeBytes) {
          refuse('CONFLICT', `The file has ${found.sizeBytes} bytes so far; the next piece begins there.`, ['offset']);
        }
        tooLarge(offset + bytes.length, MAX_FILE_BYTES, 'A file');
        await repository.appendPiece(tx, id, offset, bytes);
        return read(tx, id);
      });
    },

    start: (actorId, id, dryRun) =>
      db.transaction(async (tx) => {
        const found = (await repository.lockImport(tx, id)) ?? refuseUnknown();
        if (found.status === 'QUEUED' || found.status === 'RUNNING') {
          if (found.dryRun === dryRun) return found;
          refuse('CONFLICT', 'The import is running. Cancel it first.', ['id']);
        }
        if (!found.isFileKept) refuse('CONFLICT', 'The file is no longer kept. Upload it again.', ['id']);
        if (found.sizeBytes === 0) refuse('CONFLICT', 'The file is empty.', ['id']);
        const at = await readClock(tx);
        await repository.queueImport(tx, at, { id, dryRun, actorId });
        await announceChange(tx, at, id);
        if (!dryRun) {
          const subject = { type: 'ProductImport', id } as const;
          await staff.record(tx, at, { actorId, kind: 'PRODUCT_IMPORT_STARTED', subject, note: found.fileName });
        }
        tx.afterCommit(() => nudges.productImport(id));
        return read(tx, id);
      }),

    cancel: (actorId, id) =>
      db.transaction(async (tx) => {
        const found = (await repository.lockImport(tx, id)) ?? refuseUnknown();
        if (found.status !== 'QUEUED' && found.status !== 'RUNNING') return found;
        const at = await readClock(tx);
        await repository.cancelImport(tx, at, id);
        await announceChange(tx, at, id);
        if (!found.dryRun) {
          const subject = { type: 'ProductImport', id } as const;
          await staff.record(tx, at, { actorId, kind: 'PRODUCT_IMPORT_CANCELLED', subject, note: found.fileName });
        }
        return read(tx, id);
      }),

    byIds: (ids) => repository.findImports(db, ids),
    page: (page) => repository.findImportPage(db, page),
    count: () => repository.countImports(db),
    findings: (id, page) => reports.findFindings(db, id, page),
    findingCount: (id) => reports.countFindings(db, id),
  };
}

import { writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createImportService, type Finding, type ImportCounts } from '../../src/modules/imports/import.service.ts';
import { importProducts } from '../../src/commands/import.ts';
import { rowsOf } from './books.ts';
import { callCommand } from './command.ts';
import type { TestShop } from './shop.ts';
import { newDataDir, startProcess } from './shop-process.ts';

function environmentOf({ config: { database } }: Pick<TestShop, 'config'>): NodeJS.ProcessEnv {
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  return { DATABASE_URL: database.url, DATA_DIR: newDataDir() };
}

/** Starts `npm run import` against a shop, in a process of its own. */
export function startImport(shop: Pick<TestShop, 'config'>, args: readonly string[]) {
  return startProcess(['src/commands/import.ts', ...args], environmentOf(shop));
}

/** Runs it to its end, in a process of its own. */
export async function runImportProcess(shop: Pick<TestShop, 'config'>, ...args: string[]) {
  const { output, exited } = startImport(shop, args);
  return { status: await exited, output: output() };
}

/** What `npm run import` does, in this process. */
export function runImport(shop: Pick<TestShop, 'config'>, ...args: string[]) {
  return callCommand(importProducts, args, environmentOf(shop));
}

/** What an import said. */
export interface ImportOutcome {
  counts: ImportCounts;
  /** Line, handle, column and reason of what was refused, in short; those that were noted likewise. */
  refused: string[];
  noted: string[];
}

/** The work of an import without its command. @throws FileError */
export async function importHere({ app }: Pick<TestShop, 'app'>, path: string): Promise<ImportOutcome> {
  const refused: string[] = [];
  const noted: string[] = [];
  const inShort = ({ line, handle, column, message }: Finding) => `${line} ${handle} ${column ?? '-'}: ${message}`;
  const counts = await createImportService(app.services).run({
    path,
    dryRun: false,
    listener: {
      began: () => {},
      progressed: () => {},
      refused: (finding) => void refused.push(inShort(finding)),
      noted: (finding) => void noted.push(inShort(finding)),
    },
  });
  return { counts, refused: refused.toSorted(), noted: noted.toSorted() };
}

/** Where a test may write a file of its own. */
export function newFile(extension = 'csv'): string {
  return join(inject('postgres').runFolder, `file-${randomUUID()}.${extension}`);
}

/** A file of products with such cells; what a row does not say is empty. */
export async function writeProducts(rows: readonly Record<string, string>[], eol = '\n'): Promise<string> {
  const path = newFile();
  await writeFile(path, toCsv(rows, eol));
  return path;
}

/** CSV by the book: every cell in quotes. */
export function toCsv(rows: readonly Record<string, string>[], eol = '\n'): string {
  const header = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',') + eol;
  return line(header) + rows.map((row) => line(header.map((name) => row[name] ?? ''))).join('');
}

/** The columns that a product must have, and nothing to choose. */
export function plainRow(handle: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    Handle: handle,
    Title: `The ${handle}`,
    'Variant SKU': handle.toUpperCase(),
    'Variant Price': '5.00',
    ...more,
  };
}

const TABLES = [
  'products',
  'product_variants',
  'categories',
  'stock_movements',
  'event_log',
  'event_sequence',
  'staff_actions',
  'outside_stock',
  'carts',
  'cart_lines',
  'orders',
  'order_lines',
  'stock_alerts',
  'mails',
];

/** Everything that an import could touch, row by row. */
export async function dumpOf({ db, app }: Pick<TestShop, 'db' | 'app'>): Promise<Record<string, string[]>> {
  await app.relay.flush();
  const dump: Record<string, string[]> = {};
  for (const table of TABLES) {
    const rows = await rowsOf<{ row: string }>(db, `SELECT t::text AS row FROM ${table} t ORDER BY 1`);
    dump[table] = rows.map(({ row }) => row);
  }
  return dump;
}

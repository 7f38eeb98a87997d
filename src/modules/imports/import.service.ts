import { basename } from 'node:path';
import type { Imported, ProductImportService } from '../catalog/product-import.service.ts';
import { Refusal } from '../user-error.ts';
import type { Finding } from './findings.ts';
import { draftProduct, handleOf, slugOfHandle, type Draft } from './product-draft.ts';
import type { Columns } from './shopify-columns.ts';
import { readBlocks, surveyFile, type Block } from './shopify-csv.ts';

export { FileError } from './import.errors.ts';
export { placeInWords, REPORT_HEADER, toReportRow, type Finding } from './findings.ts';

/** How far an import came. */
export interface ImportCounts {
  /** Rows that are done with. */
  rows: number;
  products: number;
  made: number;
  changed: number;
  unchanged: number;
  refused: number;
}

/** What is to be told as it happens: a file may have more of it than fits in memory. */
export interface ImportListener {
  /** The file is one, and has so many rows. */
  began(file: { rows: number; unknownColumns: readonly string[] }): void;
  progressed(counts: Readonly<ImportCounts>): void;
  refused(finding: Finding): void;
  noted(finding: Finding): void;
}

export interface ImportOptions {
  path: string;
  /** Say what would become of it, and write nothing. */
  dryRun: boolean;
  listener: ImportListener;
  /** Stops after the products in hand. */
  signal?: AbortSignal;
}

/** Products that are looked up together. */
const CHUNK = 200;
/** Products that are written at a time; the shop goes on beside it. */
const WRITERS = 4;

/** Imports product files. */
export interface ImportService {
  /** @throws FileError where the file is none; nothing was imported then */
  run(options: ImportOptions): Promise<ImportCounts>;
}

/** Wires the import. */
export function createImportService({ productImport }: { productImport: ProductImportService }): ImportService {
  return {
    async run({ path, dryRun, listener, signal }) {
      const { columns, rows } = await surveyFile(path);
      listener.began({ rows, unknownColumns: columns.unknown });
      const run = new Run(productImport, {
        note: `Import of ${basename(path)}`.slice(0, 200),
        dryRun,
        listener,
        signal,
      });
      let chunk: Draft[] = [];
      for await (const draft of run.drafts(path, columns)) {
        chunk.push(draft);
        if (chunk.length < CHUNK) continue;
        await run.take(chunk);
        chunk = [];
      }
      await run.take(chunk);
      return run.counts;
    },
  };
}

interface RunOptions extends Pick<ImportOptions, 'dryRun' | 'listener'> {
  /** What the record says of what this import does. */
  note: string;
  signal: AbortSignal | undefined;
}

/** One import of one file. */
class Run {
  readonly counts: ImportCounts = { rows: 0, products: 0, made: 0, changed: 0, unchanged: 0, refused: 0 };
  /** Where in the file each address and SKU came first. */
  readonly #slugs = new Map<string, number>();
  readonly #skus = new Map<string, number>();
  readonly #categories = new Map<string, Promise<void>>();

  readonly #catalogue: ProductImportService;
  readonly #options: RunOptions;

  constructor(catalogue: ProductImportService, options: RunOptions) {
    this.#catalogue = catalogue;
    this.#options = options;
  }

  /** The products of the file that are fit to be taken over. */
  async *drafts(path: string, columns: Columns): AsyncGenerator<Draft> {
    for await (const block of readBlocks(path, columns)) {
      if (this.#options.signal?.aborted === true) return;
      const rows = block.rows.length + block.surplus;
      const repeated = this.#repeatedHandle(block, columns);
      const draft = repeated === null ? draftProduct(block, columns, this.#catalogue) : { findings: [repeated] };
      const findings = 'findings' in draft ? draft.findings : this.#repeatedSkus(draft, columns);
      if (findings.length > 0) this.#refuse(rows, findings);
      else if (!('findings' in draft)) yield draft;
    }
  }

  /** Rows of one product that do not stand together: the later ones may be old, or half of it. */
  #repeatedHandle(block: Block, columns: Columns): Finding | null {
    const handle = handleOf(block, this.#catalogue.slugOf);
    const [first] = block.rows;
    if (handle === '' || first === undefined) return null;
    const slug = slugOfHandle(handle, this.#catalogue.slugOf);
    const known = this.#slugs.get(slug);
    if (known === undefined) {
      this.#slugs.set(slug, first.line);
      return null;
    }
    const message = `A product of this handle stands in line ${known} already: the rows of a product must stand together.`;
    return { ...at(first), handle, column: columns.name('handle'), message };
  }

  /** SKUs that products before it have in the file. */
  #repeatedSkus({ handle, imported: { product, variants }, placeOf }: Draft, columns: Columns): Finding[] {
    return product.variants.flatMap(({ sku }, index) => {
      const line = this.#skus.get(sku);
      const place = placeOf(index);
      if (line === undefined) this.#skus.set(sku, place.line);
      if (line === undefined || variants[index]?.skuGiven !== true) return [];
      const message = `The row in line ${line}, of another product, has this SKU.`;
      return [{ ...at(place), handle, column: columns.name('sku'), message }];
    });
  }

  /** Takes products over, a few at a time; those that are as they were cost nothing but the look. */
  async take(chunk: readonly Draft[]): Promise<void> {
    if (chunk.length === 0) return;
    const previews = await this.#catalogue.preview(chunk.map(({ imported }) => imported));
    const waiting: Draft[] = [];
    for (const [index, draft] of chunk.entries()) {
      const preview = previews[index];
      if (preview === undefined) throw new Error('a product without a preview');
      if (preview.outcome === 'refused') this.#refuse(draft.rows, preview.errors.map(draft.findingOf));
      else if (this.#options.dryRun || preview.outcome === 'unchanged') this.#count(draft, preview);
      else waiting.push(draft);
    }
    const queue = waiting.values();
    const write = async () => {
      for (const draft of queue) {
        if (this.#options.signal?.aborted === true) return;
        await this.#write(draft);
      }
    };
    const writers = await Promise.allSettled(Array.from({ length: WRITERS }, write));
    // Each has ended what it had in hand.
    for (const writer of writers) if (writer.status === 'rejected') throw writer.reason;
  }

  async #write(draft: Draft): Promise<void> {
    try {
      if (draft.category !== null) await this.#category(draft.category);
      this.#count(draft, await this.#catalogue.put(draft.imported, this.#options.note));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refuse(draft.rows, error.errors.map(draft.findingOf));
    }
  }

  /** Once per import: many products share one. */
  #category(category: { name: string; slug: string }): Promise<void> {
    const known = this.#categories.get(category.slug);
    if (known !== undefined) return known;
    const made = this.#catalogue.ensureCategory(category);
    this.#categories.set(category.slug, made);
    return made;
  }

  #count(draft: Draft, { outcome, notes }: Imported): void {
    const { listener } = this.#options;
    for (const note of draft.notes) listener.noted(note);
    for (const { variant, message } of notes) {
      listener.noted({ ...at(draft.placeOf(variant)), handle: draft.handle, column: null, message });
    }
    this.counts[outcome] += 1;
    this.#progress(draft.rows);
  }

  #refuse(rows: number, findings: readonly Finding[]): void {
    for (const finding of findings) this.#options.listener.refused(finding);
    this.counts.refused += 1;
    this.#progress(rows);
  }

  #progress(rows: number): void {
    this.counts.rows += rows;
    this.counts.products += 1;
    this.#options.listener.progressed(this.counts);
  }
}

function at({ line, row }: { line: number; row: number }): { line: number; row: number } {
  return { line, row };
}

import { basename } from 'node:path';
import type { Imported, ProductImportService } from '../catalog/product-import.service.ts';
import { Refusal } from '../user-error.ts';
import type { Finding } from './findings.ts';
import { addressNote, draftProduct, handleOf, slugOfHandle, type Draft } from './product-draft.ts';
import type { Columns } from './shopify-columns.ts';
import { readBlocks, surveyFile, type Block, type Parting } from './shopify-csv.ts';

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

/** Callbacks during the import: a file may cause more findings than fit in memory. */
export interface ImportListener {
  /** The file is one, and has so many rows. */
  began(file: { rows: number; unknownColumns: readonly string[] }): void;
  progressed(counts: Readonly<ImportCounts>): void;
  refused(finding: Finding): void;
  noted(finding: Finding): void;
}

export interface ImportOptions {
  path: string;
  /** Whether to report what would be imported, and write nothing. */
  dryRun: boolean;
  listener: ImportListener;
  /** Stops after the products in progress. */
  signal?: AbortSignal;
  /** Name of the file for the record; the last part of `path` by default. */
  name?: string;
  /** The user who imports; null for the command of the shop. */
  actorId?: string | null;
  /** What an earlier run had done at its last checkpoint: this one goes on from there. */
  from?: ImportCounts;
  /** Called with what is done for good: a later run may go on from these counts. */
  checkpoint?: (counts: Readonly<ImportCounts>) => Promise<void>;
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
    async run({ path, dryRun, listener, signal, name = basename(path), actorId = null, from, checkpoint }) {
      const { columns, rows, parting } = await surveyFile(path);
      listener.began({ rows, unknownColumns: columns.unknown });
      const run = new Run(productImport, {
        note: `Import of ${name}`.slice(0, 200).replace(/[\ud800-\udbff]$/, ''),
        ...{ dryRun, listener, signal, actorId },
        from: from ?? NOTHING,
      });
      // Nothing is done yet, and the number of rows is known.
      await checkpoint?.(run.counts);
      let chunk: Draft[] = [];
      for await (const draft of run.drafts(path, columns, parting)) {
        chunk.push(draft);
        if (chunk.length < CHUNK) continue;
        await run.take(chunk);
        chunk = [];
        // Every product that was read is done with, unless the run was stopped.
        if (signal?.aborted !== true) await checkpoint?.(run.counts);
      }
      await run.take(chunk);
      return run.counts;
    },
  };
}

const NOTHING: ImportCounts = { rows: 0, products: 0, made: 0, changed: 0, unchanged: 0, refused: 0 };

interface RunOptions extends Pick<ImportOptions, 'dryRun' | 'listener'> {
  /** What the record says of what this import does. */
  note: string;
  signal: AbortSignal | undefined;
  actorId: string | null;
  from: ImportCounts;
}

/** One import of one file. */
class Run {
  readonly counts: ImportCounts;
  /** Where in the file each address and SKU came first. */
  readonly #slugs = new Map<string, number>();
  readonly #skus = new Map<string, number>();
  readonly #categories = new Map<string, Promise<void>>();

  readonly #catalogue: ProductImportService;
  readonly #options: RunOptions;

  constructor(catalogue: ProductImportService, options: RunOptions) {
    this.#catalogue = catalogue;
    this.#options = options;
    this.counts = { ...options.from };
  }

  /** The products of the file that are fit to be taken over. */
  async *drafts(path: string, columns: Columns, parting: Parting): AsyncGenerator<Draft> {
    let read = 0;
    for await (const block of readBlocks(path, columns, parting)) {
      if (this.#options.signal?.aborted === true) return;
      read += 1;
      const rows = block.rows.length + block.surplus;
      const repeated = this.#repeatedHandle(block, columns);
      const draft = repeated === null ? draftProduct(block, columns, this.#catalogue) : { findings: [repeated] };
      if (read <= this.#options.from.products) {
        // Done by an earlier run. Its handles and SKUs still count as taken.
        if (!('findings' in draft)) this.#withoutRepeatedSkus(draft, columns);
      } else if ('findings' in draft) this.#refuse(rows, draft.findings);
      else yield this.#withoutRepeatedSkus(draft, columns);
    }
  }

  /** Rows of one product that do not stand together: the later ones may be old, or half of it. */
  #repeatedHandle(block: Block, columns: Columns): Finding | null {
    const handle = handleOf(block, this.#catalogue);
    const [first] = block.rows;
    if (handle === '' || first === undefined) return null;
    const slug = slugOfHandle(handle, this.#catalogue.slugOf);
    const known = this.#slugs.get(slug);
    if (known === undefined) {
      this.#slugs.set(slug, first.line);
      return null;
    }
    const message = `A product with this handle appeared in line ${known}. All rows of a product must be adjacent.`;
    return { ...at(first), handle, column: columns.name('handle'), message };
  }

  /** Gives a SKU of their own to the variants whose SKU a product before it has in the file. */
  #withoutRepeatedSkus(draft: Draft, columns: Columns): Draft {
    const { handle, imported, placeOf } = draft;
    const notes = [...draft.notes];
    const repeated = new Set<number>();
    for (const [index, { sku }] of imported.product.variants.entries()) {
      const line = this.#skus.get(sku);
      const { ownSku = sku, skuGiven = false } = imported.variants[index] ?? {};
      if (line === undefined) this.#skus.set(sku, placeOf(index).line);
      if (line === undefined || !skuGiven) continue;
      repeated.add(index);
      const message = `The row in line ${line}, of another product, has the same SKU. This variant gets the SKU ${ownSku}.`;
      notes.push({ ...at(placeOf(index)), handle, column: columns.name('sku'), message });
    }
    if (repeated.size === 0) return draft;
    const variants = imported.variants.map((variant, index) =>
      repeated.has(index) ? { ...variant, skuGiven: false } : variant,
    );
    const product = {
      ...imported.product,
      variants: imported.product.variants.map((variant, index) =>
        repeated.has(index) ? { ...variant, sku: imported.variants[index]?.ownSku ?? variant.sku } : variant,
      ),
    };
    return { ...draft, notes, imported: { ...imported, product, variants } };
  }

  /** Under the slugs of an earlier version, what that version made of the same file. */
  async #asMadeBefore(chunk: readonly Draft[]): Promise<Draft[]> {
    const moved = chunk.filter(
      ({ former, imported, category }) =>
        former.slug !== imported.product.slug || former.categorySlug !== (category?.slug ?? null),
    );
    if (moved.length === 0) return [...chunk];
    const there = await this.#catalogue.slugsThere({
      products: moved.map(({ former }) => former.slug),
      categories: moved.flatMap(({ former: { categorySlug } }) => categorySlug ?? []),
    });
    return chunk.map((draft) => {
      const { former, imported } = draft;
      const slug = there.products.has(former.slug) ? former.slug : imported.product.slug;
      const isFiledBefore = former.categorySlug !== null && there.categories.has(former.categorySlug);
      const category =
        draft.category !== null && isFiledBefore
          ? { ...draft.category, slug: former.categorySlug ?? draft.category.slug }
          : draft.category;
      const product = { ...imported.product, slug, categorySlug: category?.slug ?? null };
      const renamed = (message: string) => message.replace(addressNote(imported.product.slug), addressNote(slug));
      const notes = draft.notes.map((note) => ({ ...note, message: renamed(note.message) }));
      return { ...draft, notes, category, imported: { ...imported, product } };
    });
  }

  /** Takes products over, a few at a time; those that are as they were cost nothing but the look. */
  async take(drafts: readonly Draft[]): Promise<void> {
    if (drafts.length === 0) return;
    const chunk = await this.#asMadeBefore(drafts);
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
    // Each has finished its product.
    for (const writer of writers) if (writer.status === 'rejected') throw writer.reason;
  }

  async #write(draft: Draft): Promise<void> {
    try {
      if (draft.category !== null) await this.#category(draft.category);
      this.#count(draft, await this.#catalogue.put(draft.imported, this.#options.note, this.#options.actorId));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refuse(draft.rows, error.errors.map(draft.findingOf));
    }
  }

  /** Once per import: many products share one. */
  #category(category: { name: string; slug: string }): Promise<void> {
    const known = this.#categories.get(category.slug);
    if (known !== undefined) return known;
    const made = this.#catalogue.ensureCategory(category, this.#options.actorId);
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

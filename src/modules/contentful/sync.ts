import type { ContentfulConfig } from '../../config/config.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { CatalogService, Product } from '../catalog/catalog.service.ts';
import type { OutsideStockService } from '../inventory/outside-stock.service.ts';
import { Refusal } from '../user-error.ts';
import type { createEntryApplication, ReadyChange } from './apply-entry.ts';
import { differences, type Difference } from './drift.ts';
import { parseEntry, type EntryChange } from './entry.ts';
import { findEntries, findLinkedEntries, type EntryRow } from './entry.repository.ts';
import { describeRefusal, linkedAssets } from './fields.ts';
import type { Prepare } from './prepare.ts';
import type { Space } from './space.ts';

/** One way in which an entry and its product differ. */
export interface Drift extends Difference {
  entryId: string;
  /** The slug of the product; null where there is none. */
  product: string | null;
}

/** What a comparison found, and what became of it. */
export interface SyncReport {
  /** Entries that were compared. */
  entries: number;
  drift: Drift[];
  /** Entries that were updated. */
  updated: number;
  /** Entries that cannot be applied, and why. */
  faults: { entryId: string; reason: string }[];
}

/** Compares the whole space with the catalog. It can be interrupted and run again at any time. */
export interface ContentfulSync {
  /**
   * @param options.update applies what the CMS has, through the same code as the webhook
   * @param options.force also where that takes more than a tenth of the linked products off sale
   * @throws SyncRefused before anything is changed
   */
  run(options: {
    update: boolean;
    force?: boolean;
    onProgress?: (done: number, total: number) => void;
  }): Promise<SyncReport>;
}

/** It would take so many products off sale that the space is probably another one than theirs. */
export class SyncRefused extends Error {
  override readonly name = 'SyncRefused';
}

/** Of the linked products, in a hundred: more are taken off sale by force alone. */
const MOST_WITHDRAWN_PERCENT = 10;

/** Entries that are looked up at a time. */
const BATCH = 100;

/** Wires it. */
export function createContentfulSync(deps: {
  db: Database;
  catalog: CatalogService;
  outsideStock: OutsideStockService;
  config: ContentfulConfig;
  currency: string;
  space: Space;
  prepare: Prepare;
  applyEntry: ReturnType<typeof createEntryApplication>;
}): ContentfulSync {
  const { db, catalog, outsideStock, config, currency, space, prepare, applyEntry } = deps;

  async function productsOf(rows: readonly EntryRow[]): Promise<Map<string, Product>> {
    const products = await catalog.productsByIds(rows.flatMap((row) => row.productId ?? []));
    return new Map(products.map((product) => [product.id, product]));
  }

  /** One comparison, as far as it has come. */
  class Run {
    readonly report: SyncReport = { entries: 0, drift: [], updated: 0, faults: [] };
    readonly seen = new Set<string>();
    readonly #update: boolean;

    constructor(update: boolean) {
      this.#update = update;
    }

    /** Compares an entry with its product and, if requested, updates the product. Rejected entries are reported. */
    async #look(entryId: string, look: () => Promise<{ ready: ReadyChange; drift: Drift[] }>): Promise<void> {
      try {
        const { ready, drift } = await look();
        this.report.drift.push(...drift);
        if (drift.length === 0 || !this.#update) return;
        const { status } = await db.transaction((tx) => applyEntry(tx, ready, { isSync: true }));
        if (status === 'APPLIED') this.report.updated += 1;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.report.faults.push({ entryId, reason: describeRefusal(error) });
      }
    }

    /** Entries as they were last published. */
    async published(entries: readonly unknown[]): Promise<void> {
      const bodies = new Map(entries.flatMap((body) => idOf(body)).map(([id, body]) => [id, body]));
      for (const id of bodies.keys()) this.seen.add(id);
      this.report.entries += bodies.size;
      const ids = [...bodies.keys()];
      const rows = new Map((await findEntries(db, ids)).map((row) => [row.id, row]));
      const pictures = await space.pictures([...bodies.values()].flatMap((body) => linkedAssets(body, config.locale)));
      for (const [entryId, body] of bodies) {
        await this.#look(entryId, async () => {
          const ready = await prepare(parseEntry('PUBLISHED', body), pictures);
          return { ready, drift: await this.#compare(entryId, rows.get(entryId), ready) };
        });
      }
    }

    async #compare(entryId: string, row: EntryRow | undefined, ready: ReadyChange): Promise<Drift[]> {
      const { content } = ready;
      if (content === null) return [];
      const slug = content.fields.product.slug;
      const linked = row?.productId ?? null;
      const product =
        linked === null
          ? slug === undefined
            ? null
            : await catalog.productBySlug(slug)
          : ((await catalog.productsByIds([linked]))[0] ?? null);
      if (product === null) {
        const cms = content.fields.product.title ?? slug ?? entryId;
        return [{ entryId, product: null, field: 'product', cms, shop: null }];
      }
      const variants = await catalog.variantsOfProducts([product.id]);
      const [belief = null] = await outsideStock.beliefs(
        variants.map((variant) => variant.id),
        'contentful',
      );
      const found = differences(content, { product, variants, belief, currency, isLinked: linked !== null });
      return found.map((difference) => ({ entryId, product: product.slug, ...difference }));
    }

    /** Asks for every linked entry by its id, so that nothing is changed before the answer is known. */
    async assertIsTheirs(): Promise<void> {
      let [after, linked, withdrawn] = ['', 0, 0];
      const now = await readClock(db);
      for (;;) {
        const rows = await findLinkedEntries(db, after, BATCH);
        const last = rows.at(-1);
        if (last === undefined) break;
        after = last.id;
        const bodies = await space.entries(rows.map((row) => row.id));
        const products = await productsOf(rows);
        for (const row of rows) {
          const product = products.get(row.productId ?? '');
          if (product === undefined) continue;
          linked += 1;
          const change = changeOf(row, bodies.get(row.id), now);
          if (change !== null && statusDrift(row.id, product, change).length > 0) withdrawn += 1;
        }
      }
      if (withdrawn * 100 > linked * MOST_WITHDRAWN_PERCENT) {
        throw new SyncRefused(
          `This would take ${withdrawn} of ${linked} products off sale, because their entries are not published in space ` +
            `${config.spaceId}, environment ${config.environment}. Nothing was changed. If the space is correct, use --force.`,
        );
      }
    }

    /** Products whose entries are not published any more, or gone. */
    async withdrawn(): Promise<void> {
      let after = '';
      for (;;) {
        const rows = await findLinkedEntries(db, after, BATCH);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.id;
        await this.#withdrawnOf(rows.filter((row) => !this.seen.has(row.id)));
      }
    }

    async #withdrawnOf(rows: readonly EntryRow[]): Promise<void> {
      if (rows.length === 0) return;
      // Asked by id: a page that slipped while the space was read must not take anything off sale.
      const now = await readClock(db);
      const bodies = await space.entries(rows.map((row) => row.id));
      const products = await productsOf(rows);
      for (const row of rows) {
        const product = products.get(row.productId ?? '');
        if (product === undefined) continue;
        this.report.entries += 1;
        await this.#look(row.id, async () => {
          const change = changeOf(row, bodies.get(row.id), now);
          const drift = change === null ? [] : statusDrift(row.id, product, change);
          return { ready: { change: change ?? withdrawal(row, 'UNPUBLISHED', now), content: null }, drift };
        });
      }
    }
  }

  return {
    async run({ update, force = false, onProgress = () => {} }) {
      const run = new Run(update);
      if (update && !force) await run.assertIsTheirs();
      for await (const { entries, total } of space.published()) {
        await run.published(entries);
        onProgress(run.report.entries, total);
      }
      await run.withdrawn();
      return run.report;
    },
  };
}

function idOf(body: unknown): [string, unknown][] {
  const id = (body as { sys?: { id?: unknown } } | null)?.sys?.id;
  return typeof id === 'string' ? [[id, body]] : [];
}

const withdrawal = (row: EntryRow, event: EntryChange['event'], changedAt: Date): EntryChange => ({
  event,
  entryId: row.id,
  contentType: null,
  revision: null,
  changedAt,
  fields: null,
});

/** What became of an entry that is not among the published ones; null where it is published after all. */
function changeOf(row: EntryRow, body: unknown, now: Date): EntryChange | null {
  if (body === undefined) return withdrawal(row, 'DELETED', now);
  const { sys } = body as { sys: { archivedAt?: unknown; publishedVersion?: unknown } };
  if (sys.archivedAt != null) return parseEntry('ARCHIVED', body);
  return sys.publishedVersion == null ? parseEntry('UNPUBLISHED', body) : null;
}

function statusDrift(entryId: string, { slug, status }: Product, { event }: EntryChange): Drift[] {
  const agrees = event === 'UNPUBLISHED' ? status !== 'ACTIVE' : status === 'ARCHIVED';
  if (agrees) return [];
  return [{ entryId, product: slug, field: 'status', cms: event.toLowerCase(), shop: status }];
}

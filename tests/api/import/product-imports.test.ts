import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createImportService,
  type ImportOptions,
  type ImportService,
} from '../../../src/modules/imports/import.service.ts';
import { createRunner } from '../../../src/modules/imports/product-imports.runner.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

// Imports that staff start through the API. Nothing runs by itself here: a test is the worker.

graphql(`
  fragment ImportState on ProductImport {
    id
    status
    dryRun
    sizeBytes
    rowCount
    doneRowCount
    productCount
    createdCount
    changedCount
    unchangedCount
    rejectedCount
    findingCount
    unknownColumns
    fault
    finishedAt
  }
`);
graphql(`
  fragment ImportFault on UserError {
    code
    path
    reason
  }
`);
const CREATE = graphql(`
  mutation ImportCreate($input: ProductImportCreateInput!) {
    productImportCreate(input: $input) {
      productImport {
        ...ImportState
      }
      errors {
        ...ImportFault
      }
    }
  }
`);
const APPEND = graphql(`
  mutation ImportAppend($input: ProductImportAppendInput!) {
    productImportAppend(input: $input) {
      productImport {
        ...ImportState
      }
      errors {
        ...ImportFault
      }
    }
  }
`);
const START = graphql(`
  mutation ImportStart($input: ProductImportStartInput!) {
    productImportStart(input: $input) {
      productImport {
        ...ImportState
      }
      errors {
        ...ImportFault
      }
    }
  }
`);
const CANCEL = graphql(`
  mutation ImportCancel($id: ID!) {
    productImportCancel(input: { id: $id }) {
      productImport {
        ...ImportState
      }
      errors {
        ...ImportFault
      }
    }
  }
`);
const STATE = graphql(`
  query ImportOf($id: ID!) {
    node(id: $id) {
      ... on ProductImport {
        ...ImportState
        actor {
          id
        }
        report(first: 100) {
          totalCount
          nodes {
            kind
            line
            handle
            column
            message
          }
        }
      }
    }
  }
`);

let shop: QuietShop;
let staff: Person;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const HEADER = 'Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Colour of the box\n';
let files = 0;

/** A file of products whose names nothing else has. `rows` replaces the row of a product. */
function fileOf(count: number, rows: Record<number, string> = {}): { prefix: string; content: string } {
  files += 1;
  const prefix = `file-${files}`;
  const lines = Array.from(
    { length: count },
    (_, n) => rows[n] ?? `${prefix}-${n},Product ${n},${prefix}-${n},9.90,5,red\n`,
  );
  return { prefix, content: HEADER + lines.join('') };
}

async function create(content: string, fileName = 'products.csv') {
  const { productImportCreate } = await staff.client.data(CREATE, { input: { fileName, content } });
  return known(productImportCreate);
}
async function append(id: string, offset: number, content: string) {
  return known((await staff.client.data(APPEND, { input: { id, offset, content } })).productImportAppend);
}
async function start(id: string, dryRun: boolean) {
  return known((await staff.client.data(START, { input: { id, dryRun } })).productImportStart);
}
async function stateOf(id: string) {
  const { node } = await staff.client.data(STATE, { id });
  if (node == null || !('report' in node)) throw new Error('no such import');
  return node;
}
const run = (id: string, signal = new AbortController().signal) =>
  shop.app.services.productImports.run(rowId(id), signal);

/** Runs an import with something changed about how it goes. */
function runWith(
  id: string,
  change: (options: ImportOptions) => Partial<ImportOptions>,
  signal = new AbortController().signal,
): Promise<void> {
  const { db, app } = shop;
  const real = createImportService(app.services);
  const imports: ImportService = { run: (options) => real.run({ ...options, ...change(options) }) };
  return createRunner({ db, eventLog: app.eventLog, imports }).run(rowId(id), signal);
}

/** An import that has been uploaded. */
async function uploaded(content: string): Promise<string> {
  return known((await create(content)).productImport).id;
}
const codes = ({ errors }: { errors: readonly { code: string; path: string[] | null }[] }) =>
  errors.map(({ code, path }) => `${code} ${path?.join('.') ?? '-'}`);
const productsOf = async (prefix: string) =>
  (await rowsOf(shop.db, 'SELECT FROM products WHERE slug LIKE $1', [`${prefix}-%`])).length;

describe('a file', () => {
  test('arrives in pieces, each of them once, in their order', async () => {
    const { prefix, content } = fileOf(3, { 1: '' });
    const text = content.replace('Product 0', 'Honig für Bären 🐻');
    const [one, two] = [text.slice(0, 40), text.slice(40)];
    const bytes = Buffer.byteLength(text);
    const { id, sizeBytes, status } = known((await create(one)).productImport);
    expect([sizeBytes, status]).toEqual([40, 'UPLOADING']);
    expect(codes(await append(id, 39, two))).toEqual(['CONFLICT offset']);
    expect(codes(await append(id, 41, two))).toEqual(['CONFLICT offset']);
    // An answer was lost, and the client sends the piece again.
    for (let n = 0; n < 2; n += 1) expect(known((await append(id, 40, two)).productImport).sizeBytes).toBe(bytes);
    expect(codes(await append(id, 40, `${two}x`))).toEqual(['CONFLICT offset']);
    expect((await start(id, false)).errors).toEqual([]);
    expect(codes(await append(id, bytes, 'more'))).toEqual(['CONFLICT id']);
    await run(id);
    expect(await stateOf(id)).toMatchObject({ status: 'COMPLETED', rowCount: 2, createdCount: 2 });
    const titles = 'SELECT title FROM products WHERE slug = $1';
    expect(await rowsOf(shop.db, titles, [`${prefix}-0`])).toEqual([{ title: 'Honig für Bären 🐻' }]);
  });

  test('has its limits, and a piece is whole characters', async () => {
    expect(codes(await create('a'.repeat(450_001)))).toEqual(['LIMIT_EXCEEDED content']);
    expect((await create('\ud83d')).errors).toEqual([
      { code: 'INVALID_INPUT', path: ['content'], reason: 'MALFORMED' },
    ]);
    expect(codes(await create('x', ''))).toEqual(['INVALID_INPUT fileName']);
    const id = await uploaded('');
    expect(codes(await append(id, 0, ''))).toEqual(['INVALID_INPUT content']);
    expect(codes(await start(id, true))).toEqual(['CONFLICT id']);
    await rowsOf(shop.db, 'UPDATE product_imports SET size_bytes = 19999999 WHERE id = $1', [rowId(id)]);
    expect(codes(await append(id, 19_999_999, 'ab'))).toEqual(['LIMIT_EXCEEDED content']);
    expect(known((await append(id, 19_999_999, 'a')).productImport).sizeBytes).toBe(20_000_000);
  });

  test('that is none fails, and says why', async () => {
    const id = await uploaded('Name,Colour\nHoney,brown\n');
    await start(id, false);
    await run(id);
    const { status, fault, finishedAt } = await stateOf(id);
    expect([status, finishedAt !== null]).toEqual(['FAILED', true]);
    expect(fault).toMatch(/Shopify|column/i);
  });
});

describe('an import', () => {
  test('as a dry run changes nothing and reports everything; the real run is recorded for the member of staff who started it', async () => {
    const { prefix, content } = fileOf(4, { 2: `,,,9.90,5,red\n` });
    const text = `${content}${prefix}-0,Again,X-1,9.90,5,red\n`;
    const id = await uploaded(text);
    const dry = await start(id, true);
    expect(known(dry.productImport)).toMatchObject({ status: 'QUEUED', dryRun: true });
    const before = await rowsOf(shop.db, 'SELECT count(*)::int AS n FROM stock_movements');
    await run(id);
    const seen = await stateOf(id);
    expect(seen).toMatchObject({
      status: 'COMPLETED',
      dryRun: true,
      rowCount: 5,
      doneRowCount: 5,
      productCount: 5,
      createdCount: 3,
      rejectedCount: 2,
      findingCount: 2,
      unknownColumns: ['Colour of the box'],
    });
    expect(seen.report).toMatchObject({
      totalCount: 2,
      nodes: [
        { kind: 'REJECTION', line: 4, handle: '' },
        { kind: 'REJECTION', line: 6, handle: `${prefix}-0`, column: 'Handle' },
      ],
    });
    expect(await productsOf(prefix)).toBe(0);
    expect(await rowsOf(shop.db, 'SELECT count(*)::int AS n FROM stock_movements')).toEqual(before);

    await start(id, false);
    expect(await stateOf(id)).toMatchObject({
      status: 'QUEUED',
      createdCount: 0,
      findingCount: 0,
      report: { totalCount: 0 },
    });
    await run(id);
    expect(await stateOf(id)).toMatchObject({
      status: 'COMPLETED',
      dryRun: false,
      createdCount: 3,
      rejectedCount: 2,
      findingCount: 2,
    });
    expect(await productsOf(prefix)).toBe(3);
    const record = `SELECT kind, actor_id AS "actorId" FROM staff_actions a JOIN products p ON p.id = a.subject_id WHERE p.slug = $1`;
    expect(await rowsOf(shop.db, record, [`${prefix}-0`])).toEqual([
      { kind: 'PRODUCT_CREATED', actorId: rowId(staff.userId) },
    ]);

    // The same file again changes nothing.
    await start(id, false);
    await run(id);
    expect(await stateOf(id)).toMatchObject({
      status: 'COMPLETED',
      createdCount: 0,
      changedCount: 0,
      unchangedCount: 3,
    });
  });

  test('that runs already is not started again, and one that is over is not cancelled', async () => {
    const id = await uploaded(fileOf(1).content);
    await start(id, true);
    expect((await start(id, true)).errors).toEqual([]);
    expect(codes(await start(id, false))).toEqual(['CONFLICT id']);
    await run(id);
    const over = await changingNothing(shop, () => staff.client.data(CANCEL, { id }));
    expect(known(over.productImportCancel)).toMatchObject({ productImport: { status: 'COMPLETED' }, errors: [] });
  });

  test('that waits is cancelled at once; one that runs stops where it is', async () => {
    const waiting = await uploaded(fileOf(2).content);
    await start(waiting, false);
    await staff.client.data(CANCEL, { id: waiting });
    await run(waiting);
    expect(await stateOf(waiting)).toMatchObject({ status: 'CANCELLED', productCount: 0 });

    const { prefix, content } = fileOf(401);
    const id = await uploaded(content);
    await start(id, false);
    await runWith(id, ({ checkpoint }) => ({
      async checkpoint(counts) {
        if (counts.products > 0) await staff.client.data(CANCEL, { id });
        await checkpoint?.(counts);
      },
    }));
    expect(await stateOf(id)).toMatchObject({ status: 'CANCELLED', productCount: 200, createdCount: 200 });
    expect(await productsOf(prefix)).toBe(200);
  });
});

describe('a run that is cut off', () => {
  test('goes on from its last checkpoint, and reports everything once', async () => {
    const { prefix, content } = fileOf(260, { 3: ',,,9.90,5,red\n', 230: '' });
    // After the checkpoint, with a handle and a SKU of before it.
    const text = `${content}${prefix}-0,Again,X-2,9.90,5,red\n${prefix}-new,New,${prefix}-1,9.90,5,red\n`;
    const id = await uploaded(text);
    await start(id, false);
    const closing = new AbortController();
    const running = runWith(
      id,
      ({ listener }) => ({
        listener: {
          ...listener,
          // In the midst of the second batch.
          progressed({ products }) {
            if (products === 220) closing.abort(new Error('the shop closes'));
          },
        },
      }),
      closing.signal,
    );
    await expect(running).rejects.toThrow('the shop closes');
    expect(await stateOf(id)).toMatchObject({
      status: 'QUEUED',
      productCount: 201,
      createdCount: 200,
      rejectedCount: 1,
    });
    await run(id);
    const done = await stateOf(id);
    expect(done).toMatchObject({
      status: 'COMPLETED',
      rowCount: 261,
      doneRowCount: 261,
      productCount: 261,
      rejectedCount: 2,
      findingCount: 3,
    });
    expect(done.createdCount + done.unchangedCount).toBe(259);
    expect(await productsOf(prefix)).toBe(259);
    expect(done.report.nodes.map(({ kind, line }) => [kind, line])).toEqual([
      ['REJECTION', 5],
      ['REJECTION', 261],
      ['NOTE', 262],
    ]);
  });

  test('is taken over once its process has been silent, and not before', async () => {
    const { prefix, content } = fileOf(2);
    const id = await uploaded(content);
    await start(id, false);
    const silentFor = (seconds: number) =>
      rowsOf(
        shop.db,
        `UPDATE product_imports SET status = 'RUNNING', runner = $2, updated_at = clock_timestamp() - interval '1 hour',
                heartbeat_at = clock_timestamp() - make_interval(secs => $3) WHERE id = $1`,
        [rowId(id), uuid(), seconds],
      );
    const { productImports } = shop.app.services;
    await silentFor(20);
    await run(id);
    expect(await productImports.findLost()).toEqual([]);
    expect(await stateOf(id)).toMatchObject({ status: 'RUNNING', productCount: 0 });
    await silentFor(31);
    expect(await productImports.findLost()).toEqual([rowId(id)]);
    await run(id);
    expect(await stateOf(id)).toMatchObject({ status: 'COMPLETED', createdCount: 2 });
    expect(await productsOf(prefix)).toBe(2);
  });

  test('again and again without getting further has failed', async () => {
    const id = await uploaded(fileOf(1).content);
    await start(id, false);
    await rowsOf(shop.db, 'UPDATE product_imports SET attempts = 5 WHERE id = $1', [rowId(id)]);
    await run(id);
    const { status, fault } = await stateOf(id);
    expect(status).toBe('FAILED');
    expect(fault).toContain('failed repeatedly');
  });
});

test('files and imports are not kept forever', async () => {
  const id = await uploaded(fileOf(1).content);
  const days = (count: number) =>
    rowsOf(
      shop.db,
      `UPDATE product_imports SET updated_at = clock_timestamp() - make_interval(days => $2) WHERE id = $1`,
      [rowId(id), count],
    );
  const { importsModule } = await import('../../../src/modules/imports/imports.module.ts');
  const { removeOld } = await import('../../../src/infra/postgres/retention.ts');
  const rules = known(importsModule.retention)(shop.config);
  const prune = async () => {
    for (const rule of rules) await removeOld({ db: shop.db, rule });
  };
  await days(6);
  await prune();
  expect((await start(id, true)).errors).toEqual([]);
  await staff.client.data(CANCEL, { id });
  await days(8);
  await prune();
  expect(codes(await start(id, true))).toEqual(['CONFLICT id']);
  expect(await rowsOf(shop.db, 'SELECT FROM product_import_pieces WHERE import_id = $1', [rowId(id)])).toEqual([]);
  await days(91);
  await prune();
  expect(codes(await start(id, true))).toEqual(['NOT_FOUND id']);
});

import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBlocks, surveyFile } from '../../../src/modules/imports/shopify-csv.ts';
import { newFile, toCsv } from '../../support/import.ts';
import { ONCE } from '../../support/sizes.ts';

/** What is written as CSV is read as it was, whatever is in the cells, and each row is found where it begins. */

const odd = fc.oneof(
  fc.constantFrom(
    '"',
    '""',
    ',',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    "'",
    ';',
    '=1+1',
    '\uFEFF',
    '\u2028',
    'ß',
    '蜂蜜',
    '🐝',
    '<b>',
    '\\',
    '\\"',
  ),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
);
const text = fc.array(odd, { maxLength: 6 }).map((parts) => parts.join(''));
const product = fc.record({
  rows: fc.array(fc.record({ title: text, body: text, vendor: text }), { minLength: 1, maxLength: 3 }),
});

test('any text comes out of a file as it went in', ONCE, () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(product, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('\n', '\r\n'),
      fc.constantFrom('', '\uFEFF'),
      async (products, eol, mark) => {
        const rows = products.flatMap(({ rows: own }, index) =>
          own.map(({ title, body, vendor }) => ({
            Handle: `p-${index}`,
            Title: title,
            'Body (HTML)': body,
            'Variant Price': '1.00',
            Vendor: vendor,
          })),
        );
        const path = newFile();
        await writeFile(path, mark + toCsv(rows, eol));
        const { columns, rows: count, parting } = await surveyFile(path);
        expect(count).toBe(rows.length);

        const read: unknown[] = [];
        const lines: number[] = [];
        for await (const block of readBlocks(path, columns, parting)) {
          for (const row of block.rows) {
            read.push({
              Handle: block.handle,
              Title: row.cell('title'),
              'Body (HTML)': row.cell('body'),
              'Variant Price': row.cell('price'),
              Vendor: row.cell('vendor'),
            });
            lines.push(row.line);
          }
        }
        expect(read).toEqual(rows);
        // By an editor's count: what stands before a row, broken as editors break it.
        const before = rows.map((_, index) => toCsv(rows.slice(0, index), eol));
        expect(lines).toEqual(before.map((part, index) => (index === 0 ? 2 : part.split(/\r\n|\r|\n/).length)));
      },
    ),
    { numRuns: 200 },
  ),
);

test('rows with different line endings are read', async () => {
  const path = newFile();
  await writeFile(path, 'Handle,Title,Price\r\na,A,1\nb,"B\r\n",2\r\n\r\nc,C,3');
  const { columns, rows, parting } = await surveyFile(path);
  expect(rows).toBe(3);
  const read: unknown[] = [];
  for await (const { handle, rows: own } of readBlocks(path, columns, parting))
    read.push([handle, own.map(({ line, row }) => [line, row])]);
  expect(read).toEqual([
    ['a', [[2, 2]]],
    ['b', [[3, 3]]],
    ['c', [[6, 5]]],
  ]);
});

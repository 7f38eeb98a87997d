import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withPart } from '../../bench/benchmarks-page.ts';

test('a benchmark that writes its part of the page of figures leaves the parts of others as they are', () => {
  const page = readFileSync('docs/benchmarks.md', 'utf8');
  expect(page).toContain('<!-- begin: speed -->');
  const once = withPart(page, 'speed', '## Speed\n\nnew');
  const twice = withPart(withPart(once, 'lists', '## Lists\n\nold'), 'lists', '## Lists\n\nnew');
  expect(twice).toContain('<!-- begin: speed -->\n\n## Speed\n\nnew\n\n<!-- end: speed -->');
  expect(twice).toContain('<!-- begin: lists -->\n\n## Lists\n\nnew\n\n<!-- end: lists -->');
  expect(twice.startsWith('# Benchmarks\n')).toBe(true);
  const begins = (text: string) => text.match(/<!-- begin: /g)?.length;
  expect(begins(withPart(twice, 'lists', '## Lists'))).toBe(begins(twice));
  expect(withPart('# Benchmarks\n', 'upkeep', 'text')).toBe(
    '# Benchmarks\n\n<!-- begin: upkeep -->\n\ntext\n\n<!-- end: upkeep -->\n',
  );
});

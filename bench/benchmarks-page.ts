import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

/** The page of figures. Each benchmark that writes to it has a part of its own there. */
const PAGE = 'docs/benchmarks.md';

export type Part = 'speed' | 'lists' | 'upkeep';

/**
 * Puts a part in the place of the one that stands in the page, or at its end, and leaves the others as they are.
 * @param page Markdown
 * @param text Markdown, without the marks that bound the part
 */
export function withPart(page: string, part: Part, text: string): string {
  const [begin, end] = [`<!-- begin: ${part} -->`, `<!-- end: ${part} -->`];
  const whole = `${begin}\n\n${text.trim()}\n\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) return `${page.trimEnd()}\n\n${whole}\n`;
  return `${page.slice(0, from)}${whole}${page.slice(to + end.length)}`;
}

/** Writes a part of the page of figures. */
export async function writePart(part: Part, text: string): Promise<void> {
  const config = await resolveConfig(PAGE);
  const page = withPart(readFileSync(PAGE, 'utf8'), part, text);
  writeFileSync(PAGE, await format(page, { ...config, filepath: PAGE }));
  console.log(`Wrote ${PAGE}.`);
}

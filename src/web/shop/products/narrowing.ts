import type { ProductFilter } from '../../generated/graphql.ts';

/*
 * What narrows a list of products, as the address says it: `tag` (again and again), `stock`, `low`, `min`, `max`, and for each value
 * of an option `option.<name>`, as in `option.Size=M`.
 */

const OPTION = 'option.';
const PLAIN = new Set(['tag', 'stock', 'low', 'min', 'max']);
// As many as the API takes.
const MOST_OPTIONS = 10;
const MOST_VALUES = 50;
const MOST_TAGS = 20;

/** One choice that narrows the list, in words, and the address without it. */
export interface Choice {
  words: string;
  without: (params: URLSearchParams) => void;
}

/** Changes the parameters of the address. */
export type Edit = (edit: (next: URLSearchParams) => void) => void;

/** The name by which the address knows an option. */
export const optionParam = (name: string): string => OPTION + name;

/** Takes one value of a parameter away or puts it there; the others stay. */
export function toggle(params: URLSearchParams, name: string, value: string): void {
  const values = params.getAll(name);
  params.delete(name);
  for (const each of values.includes(value) ? values.filter((other) => other !== value) : [...values, value]) {
    params.append(name, each);
  }
}

/** Takes everything away that narrows the list. Words, category and order stay. */
export function clear(params: URLSearchParams): void {
  for (const name of new Set(params.keys())) {
    if (PLAIN.has(name) || name.startsWith(OPTION)) params.delete(name);
  }
}

/** The options in an address, with their values. */
export function optionsIn(params: URLSearchParams): { name: string; values: string[] }[] {
  const names = [...new Set(params.keys())].filter((name) => name.startsWith(OPTION) && name.length > OPTION.length);
  return names.slice(0, MOST_OPTIONS).map((param) => ({
    name: param.slice(OPTION.length),
    values: params.getAll(param).slice(0, MOST_VALUES),
  }));
}

/** Only what is a price: the address may hold anything. */
function priceIn(params: URLSearchParams, name: string): string | undefined {
  return /^\d{1,7}([.]\d{1,2})?$/.exec(params.get(name) ?? '')?.[0];
}

/** The filter that an address stands for. */
export function filterOf(params: URLSearchParams, categorySlug: string | undefined): ProductFilter {
  const search = params.get('q')?.trim() ?? '';
  const tags = params.getAll('tag').slice(0, MOST_TAGS);
  const [minPrice, maxPrice] = [priceIn(params, 'min'), priceIn(params, 'max')];
  const options = optionsIn(params);
  return {
    ...(search === '' ? {} : { search }),
    ...(categorySlug === undefined ? {} : { categorySlug }),
    ...(minPrice === undefined ? {} : { minPrice }),
    ...(maxPrice === undefined ? {} : { maxPrice }),
    ...(params.has('stock') ? { inStock: true } : {}),
    ...(params.has('low') ? { lowStock: true } : {}),
    ...(tags.length === 0 ? {} : { tags }),
    ...(options.length === 0 ? {} : { options }),
  };
}

/** The choices in an address, one by one. */
export function choicesIn(params: URLSearchParams, price: (amount: string) => string): Choice[] {
  const [min, max] = [priceIn(params, 'min'), priceIn(params, 'max')];
  const choices: Choice[] = [];
  if (params.has('stock')) choices.push({ words: 'In stock', without: (next) => next.delete('stock') });
  if (params.has('low')) choices.push({ words: 'Nearly gone', without: (next) => next.delete('low') });
  if (min !== undefined || max !== undefined) {
    choices.push({
      words: priceInWords(min === undefined ? null : price(min), max === undefined ? null : price(max)),
      without: (next) => ['min', 'max'].forEach((name) => next.delete(name)),
    });
  }
  for (const { name, values } of optionsIn(params)) {
    for (const value of values) {
      choices.push({ words: `${name}: ${value}`, without: (next) => toggle(next, optionParam(name), value) });
    }
  }
  for (const tag of params.getAll('tag')) choices.push({ words: tag, without: (next) => toggle(next, 'tag', tag) });
  return choices;
}

/** A range of prices in words. */
export function priceInWords(min: string | null, max: string | null): string {
  if (min === null) return max === null ? 'Any price' : `Up to ${max}`;
  return max === null ? `From ${min}` : `${min} to ${max}`;
}

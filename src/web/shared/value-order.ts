/*
 * The order in which people expect the values of an option: clothing sizes from small to large, measures by what they measure
 * ("250 g" before "1 kg"), everything else by its words, with numbers in them compared as numbers.
 */

/** How many grams, millilitres, millimetres or megabytes a unit is. */
const UNITS: readonly Readonly<Record<string, number>>[] = [
  { mg: 0.001, g: 1, kg: 1000, t: 1_000_000, oz: 28.349523125, lb: 453.59237, lbs: 453.59237 },
  { ml: 1, cl: 10, dl: 100, l: 1000, 'fl oz': 29.5735295625 },
  { mm: 1, cm: 10, m: 1000, km: 1_000_000, in: 25.4, '"': 25.4, '″': 25.4, ft: 304.8 },
  { kb: 0.001, mb: 1, gb: 1000, tb: 1_000_000 },
];

const NUMBER = String.raw`(?:(\d+)\s*[x×]\s*)?(\d+(?:[., ]\d+)*|\d+\s*\/\s*\d+|(?:\d+\s*)?[½¼¾])`;
const UNIT = 'mg|kg|g|t|fl\\.?\\s?oz|oz|lbs?|ml|cl|dl|l|mm|cm|km|m|in(?!\\s+\\d)|["″]|ft|kb|mb|gb|tb';
const MEASURE = new RegExp(String.raw`^${NUMBER}\s*(${UNIT})\.?(?![\p{L}\d])`, 'iu');
const FRACTIONS: Readonly<Record<string, number>> = { '½': 0.5, '¼': 0.25, '¾': 0.75 };

/**
 * The number that a text stands for. A comma or a space before three digits parts thousands; any other comma is a decimal one, since
 * shops write both `1,000 g` and `1,5 kg`.
 */
function numberOf(text: string): number {
  const sign = text.at(-1) ?? '';
  if (sign in FRACTIONS) return Number(text.slice(0, -1)) + (FRACTIONS[sign] ?? 0);
  const [above = '', below] = text.split('/');
  if (below !== undefined) return Number(above) / Number(below);
  const hasThousands = /^[1-9]\d{0,2}(?:[, ]\d{3})+(?:\.\d+)?$/.test(text);
  return Number(hasThousands ? text.replaceAll(/[, ]/g, '') : text.replace(',', '.'));
}

/** What a value measures, and how much of it; null if it is no measure. */
function measureOf(value: string): { kind: number; amount: number } | null {
  const [, packs = '1', number = '', unit = ''] = MEASURE.exec(value) ?? [];
  const name = unit.toLowerCase().replace(/^fl\.?\s?/, 'fl ');
  const kind = UNITS.findIndex((units) => Object.hasOwn(units, name));
  const amount = Number(packs) * numberOf(number) * (UNITS[kind]?.[name] ?? Number.NaN);
  return Number.isFinite(amount) ? { kind, amount } : null;
}

const WORDS: Readonly<Record<string, string>> = { small: 'S', medium: 'M', large: 'L' };

/** The place of one clothing size: 0 for M, less for smaller ones; null if it is none. */
function placeOfSize(text: string): number | null {
  const short = text
    .toLowerCase()
    .replaceAll(/extra[\s-]*|x-/g, 'x')
    .replace(/small|medium|large/, (word) => WORDS[word] ?? word)
    .toUpperCase();
  if (short === 'M') return 0;
  const [, count, letters, end] = /^(?:(\d)X|(X{0,6}))([SL])$/.exec(short) ?? [];
  if (end === undefined) return null;
  const place = 1 + (count === undefined ? (letters ?? '').length : Number(count));
  return end === 'L' ? place : -place;
}

/** The place of a clothing size, or the middle of two, such as `S/M`; null if the value is none. */
function sizeOf(value: string): number | null {
  const places = value.split('/').map((part) => placeOfSize(part.trim()));
  if (places.length > 2 || places.includes(null)) return null;
  return (places as number[]).reduce((sum, place) => sum + place, 0) / places.length;
}

/** Where a value belongs: which kind of values come first, and its place among them. */
function placeOf(value: string): readonly [kind: number, place: number] {
  const text = value.trim();
  const size = sizeOf(text);
  if (size !== null) return [0, size];
  const measure = measureOf(text);
  return measure === null ? [UNITS.length + 1, 0] : [measure.kind + 1, measure.amount];
}

/**
 * Compares values of options for people.
 * @param locales languages by which words are compared
 * @returns a comparison for `sort`
 */
export function valueOrder(locales: readonly string[]): (one: string, other: string) => number {
  const words = new Intl.Collator([...locales], { numeric: true });
  return (one, other) => {
    const [kind, place] = placeOf(one);
    const [otherKind, otherPlace] = placeOf(other);
    return kind - otherKind || place - otherPlace || words.compare(one, other);
  };
}

import { z } from 'zod';
import { parseProductChanges, parseVariantChanges } from '../catalog/catalog-writing.service.ts';
import type { ProductChanges, VariantChanges } from '../catalog/catalog.types.ts';
import { InvalidInputError } from '../invalid-input.ts';
import { LimitExceededError, Refusal, type UserError } from '../user-error.ts';
import type { BelievedStock } from '../inventory/outside-stock.service.ts';
import { MAX_ON_HAND } from '../inventory/inventory.types.ts';
import { isRichText, richTextToPlain } from './rich-text.ts';

/*
 * Which field of an entry becomes what: docs/contentful.md has the same in words. A field that is not there, or has nothing
 * in the shop's locale, leaves what the shop has. What staff may not say, an editor may not either: the same rules parse it.
 */

/** What an entry says of a product. */
export interface EntryFields {
  product: Omit<ProductChanges, 'images'>;
  variant: VariantChanges;
  stock: BelievedStock | null;
  /** The assets that are its pictures, in order; null: it says nothing of pictures. */
  assetIds: readonly string[] | null;
}

/** More than a product may have is refused once they are resolved; so many are looked at. */
const MAX_IMAGES = 50;

const own = (of: object, name: string): unknown =>
  Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : null;
const bad = (name: string, problem: string) => new InvalidInputError('MALFORMED', `${name} ${problem}.`, [name]);

class Reader {
  readonly faults: UserError[] = [];
  readonly #fields: object;
  readonly #locale: string;

  constructor(fields: unknown, locale: string) {
    this.#fields = typeof fields === 'object' && fields !== null ? fields : {};
    this.#locale = locale;
    if (fields !== this.#fields || Array.isArray(fields)) this.faults.push(bad('fields', 'must be an object'));
  }

  /** What a field has in the locale; null: nothing. `isEmpty`: it says so itself. */
  value(name: string): { value: unknown; isEmpty: boolean } {
    const field = own(this.#fields, name);
    if (field === null || field === undefined) return { value: null, isEmpty: false };
    if (typeof field !== 'object' || Array.isArray(field)) {
      this.faults.push(bad(name, 'must have one value per locale'));
      return { value: null, isEmpty: false };
    }
    const value = own(field, this.#locale) ?? null;
    return { value, isEmpty: value === null && Object.hasOwn(field, this.#locale) };
  }

  /** Parsed value of a field; null if the field is empty or invalid. */
  read<T>(name: string, schema: z.ZodType<T>, problem: string): T | null {
    const { value } = this.value(name);
    if (value === null) return null;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    this.faults.push(bad(name, problem));
    return null;
  }
}

/** Digits as they are written: a number of JSON is one of binary floating point, whose shortest form is what was meant. */
const decimal = z
  .union([z.number(), z.string().max(40)])
  .transform((given) => String(given).trim())
  .pipe(z.string().regex(/^-?\d+(\.\d+)?$/));

const link = z.object({
  sys: z.object({ type: z.literal('Link'), linkType: z.literal('Asset'), id: z.string().regex(/^[\w.-]{1,64}$/) }),
});
const links = z.union([z.array(link).max(MAX_IMAGES), link.transform((one) => [one])]);

/**
 * Parses an entry's fields.
 * @throws Refusal with every fault
 */
export function parseFields(fields: unknown, { locale, currency }: { locale: string; currency: string }): EntryFields {
  const reader = new Reader(fields, locale);
  const text = (name: string) => {
    const value = reader.read(name, z.string(), 'must be text');
    return value === null ? {} : { [name]: value };
  };
  const description = reader.value('description');
  const images = reader.value('images');
  const given = {
    ...text('title'),
    ...text('slug'),
    ...(description.isEmpty ? { description: null } : {}),
    ...(isRichText(description.value) ? { description: richTextToPlain(description.value) } : text('description')),
  };
  const price = reader.read('price', decimal, 'must be a number, for example 12.5');
  const count = reader.read('stock', z.int().min(0).max(MAX_ON_HAND), `must be an integer from 0 to ${MAX_ON_HAND}`);
  const flag = reader.read('inStock', z.boolean(), 'must be true or false');
  const pictures = reader.read('images', links, `must be links to assets, at most ${MAX_IMAGES}`);
  const product = collect(reader.faults, () => parseProductChanges(given as Parameters<typeof parseProductChanges>[0]));
  const variant = collect(reader.faults, () =>
    parseVariantChanges({ ...text('sku'), ...(price === null ? {} : { price }) }, currency),
  );
  if (reader.faults.length > 0) throw new Refusal(...reader.faults);
  return {
    product,
    variant,
    stock: count !== null ? { kind: 'COUNT', quantity: count } : flag !== null ? { kind: 'FLAG', inStock: flag } : null,
    assetIds: images.isEmpty ? [] : (pictures?.map(({ sys }) => sys.id) ?? null),
  };
}

function collect<T extends object>(faults: UserError[], parse: () => T): T | Record<string, never> {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    faults.push(...error.errors);
    return {};
  }
}

/** Why something was refused, in words, for staff. */
export function describeRefusal({ errors }: Refusal): string {
  return errors
    .map((error) => (error instanceof LimitExceededError ? `${error.message} (${error.requested})` : error.message))
    .join(' ');
}

/** The assets that an entry's body links to as pictures, as far as it can be read. */
export function linkedAssets(body: unknown, locale: string): string[] {
  const { fields } = (body ?? {}) as { fields?: unknown };
  return new Reader(fields, locale).read('images', links, '')?.map(({ sys }) => sys.id) ?? [];
}

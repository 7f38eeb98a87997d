import { z } from 'zod';
import { MAX_ON_HAND } from '../inventory/inventory.types.ts';
import { because, kept, lineOrNull, multilineText, parseInput, plainText } from '../input.ts';
import { fractionDigits, parseDecimal, toDecimal } from '../money.ts';
import { LimitExceededError, Refusal, type InputPath, type UserError } from '../user-error.ts';
import { isSlug } from './catalog.service.ts';
import type {
  CategoryChanges,
  NewCategory,
  NewProduct,
  NewVariant,
  ProductChanges,
  VariantChanges,
} from './catalog.types.ts';

/*
 * What staff may say of products, parsed: everything that the database's CHECKs would refuse is refused here, with a path.
 * What depends on what is there already is for the use cases to decide.
 */

/** The most that the shop takes of something in one list. */
export const MAX = { variants: 100, options: 5, tags: 100, images: 50, onHand: MAX_ON_HAND } as const;

/** PostgreSQL's and GraphQL's largest integer. */
const MAX_INT = 2 ** 31 - 1;

/** A path of the shop's own, as it serves them (http/images.ts). */
const OWN_IMAGE = /^\/images\/[\w-][\w.-]{0,99}$/;

const slug = z.string().refine(
  isSlug,
  because(
    'SLUG_INVALID',
    'must consist of lowercase letters and digits separated by single hyphens, at most 200 characters',
    {
      max: 200,
    },
  ),
);
const status = z.enum(['DRAFT', 'ACTIVE', 'ARCHIVED']);
const title = plainText(300);
const name = plainText(200);
const sku = plainText(100);
const description = multilineText(50_000);
const threshold = z.int().min(0, 'must not be negative');
/** The CHECK of the table: a thousand tons. */
const MAX_GRAMS = 1_000_000_000;
const weightGrams = z.int().min(0, 'must not be negative').max(MAX_GRAMS, `must be at most ${MAX_GRAMS}`);

const tags = z
  .array(plainText(100))
  .nullish()
  .transform((list) => [...new Set(list)]);

function isImageUrl(text: string): boolean {
  if (OWN_IMAGE.test(text)) return true;
  if (!/^https?:\/\//i.test(text) || /\s/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

const imageUrl = plainText(2000).pipe(
  z
    .string()
    .refine(
      isImageUrl,
      because('URL_INVALID', 'must be an absolute http or https URL, or the path of an image of this shop (/images/…)'),
    ),
);

const images = z
  .array(z.object({ url: imageUrl, altText: lineOrNull(500) }))
  .nullish()
  .transform((list) => list ?? []);

const choices = z.array(z.object({ name: plainText(100), value: plainText(100) }));
const selectedOptions = choices.nullish().transform((list) => list ?? []);

function faultOfPrice(minor: bigint | null, least: 0 | 1, currency: string): ReturnType<typeof because> | null {
  const amount = (units: number) => toDecimal({ minor: BigInt(units), currency });
  if (minor === null) {
    const parameters = { currencyCode: currency, max: fractionDigits(currency) };
    return because('TOO_MANY_DECIMALS', `has more decimal places than ${currency}`, parameters);
  }
  if (minor < least) {
    const message = least === 0 ? 'must not be negative' : 'must be greater than 0';
    return because('TOO_SMALL', message, { min: amount(least) });
  }
  const most = amount(MAX_INT);
  return minor <= MAX_INT ? null : because('TOO_LARGE', `must be at most ${most}`, { max: most });
}

/** A price in the currency's minor units. */
function price(currency: string, least: 0 | 1): z.ZodType<number, string> {
  return z.string().transform((text, ctx) => {
    const minor = parseDecimal(text, currency);
    const fault = faultOfPrice(minor, least, currency);
    if (fault !== null) ctx.addIssue({ code: 'custom', ...fault });
    return Number(minor);
  });
}

function newVariant(currency: string) {
  return z
    .object({
      sku,
      price: price(currency, 0),
      compareAtPrice: price(currency, 1).nullish(),
      selectedOptions,
      onHand: z.int().min(0, 'must not be negative').nullish(),
      lowStockThreshold: threshold.nullish(),
      weightGrams: weightGrams.nullish(),
      requiresShipping: z.boolean().nullish(),
      taxCategoryId: z.uuid().nullish(),
    })
    .transform((input): NewVariant => ({
      sku: input.sku,
      priceMinor: input.price,
      compareAtMinor: input.compareAtPrice ?? null,
      selectedOptions: input.selectedOptions,
      onHand: input.onHand ?? 0,
      lowStockThreshold: input.lowStockThreshold ?? null,
      weightGrams: input.weightGrams ?? null,
      requiresShipping: input.requiresShipping ?? true,
      taxCategoryId: input.taxCategoryId ?? null,
    }));
}

interface Counted {
  tags?: readonly unknown[] | null | undefined;
  images?: readonly unknown[] | null | undefined;
}

interface CountedVariant {
  selectedOptions?: readonly unknown[] | null | undefined;
  onHand?: number | null | undefined;
}

function excess(requested: number, limit: number, path: InputPath, what: string, of = 'product'): UserError[] {
  if (requested <= limit) return [];
  return [new LimitExceededError({ message: `A ${of} can have at most ${limit} ${what}.`, path, limit, requested })];
}

function excessOfProduct({ tags: given, images: shown }: Counted): UserError[] {
  return [
    ...excess(given?.length ?? 0, MAX.tags, ['tags'], 'tags'),
    ...excess(shown?.length ?? 0, MAX.images, ['images'], 'images'),
  ];
}

function excessOfVariant({ selectedOptions: chosen, onHand }: CountedVariant, path: InputPath): UserError[] {
  return [
    ...excess(chosen?.length ?? 0, MAX.options, [...path, 'selectedOptions'], 'options'),
    ...excess(onHand ?? 0, MAX.onHand, [...path, 'onHand'], 'units on hand', 'variant'),
  ];
}

// Before each item is looked at: a list may be as long as a request.
function refuseExcess(errors: readonly UserError[]): void {
  if (errors.length > 0) throw new Refusal(...errors);
}

/** Parses what a product is to be. @throws Refusal */
export function parseNewProduct(
  input: Counted & { variants: readonly CountedVariant[] },
  currency: string,
): NewProduct {
  refuseExcess([...excessOfProduct(input), ...excess(input.variants.length, MAX.variants, ['variants'], 'variants')]);
  refuseExcess(input.variants.flatMap((variant, index) => excessOfVariant(variant, ['variants', String(index)])));
  const schema = z.object({
    title,
    slug: slug.nullish().transform((given) => given ?? null),
    description: description.nullish().transform((given) => given ?? ''),
    vendor: lineOrNull(200),
    tags,
    categorySlug: z
      .string()
      .nullish()
      .transform((given) => given ?? null),
    images,
    status: status.nullish().transform((given) => given ?? 'ACTIVE'),
    variants: z.array(newVariant(currency)).min(1, 'must not be empty'),
  });
  return parseInput<NewProduct>(schema, input);
}

const productChanges = z.object({
  title: kept(title),
  slug: kept(slug),
  description: description
    .nullable()
    .transform((given) => given ?? '')
    .exactOptional(),
  vendor: lineOrNull(200).exactOptional(),
  tags: tags.exactOptional(),
  categorySlug: z.string().nullable().exactOptional(),
  images: images.exactOptional(),
  status: kept(status),
});

/** Parses what is to become of a product; null clears what can be cleared. @throws Refusal */
export function parseProductChanges(input: Counted): ProductChanges {
  refuseExcess(excessOfProduct(input));
  return parseInput<ProductChanges>(productChanges, input);
}

/** Parses what a variant is to be. @throws Refusal */
export function parseNewVariant(variant: CountedVariant, currency: string): NewVariant {
  refuseExcess(excessOfVariant(variant, ['variant']));
  return parseInput(z.object({ variant: newVariant(currency) }), { variant }).variant;
}

/** Parses what is to become of a variant; null clears what can be cleared. @throws Refusal */
export function parseVariantChanges(
  input: CountedVariant & { price?: string | null | undefined },
  currency: string,
): VariantChanges {
  const schema = z.object({
    sku: kept(sku),
    price: kept(price(currency, 0)),
    compareAtPrice: price(currency, 1).nullable().exactOptional(),
    selectedOptions: choices
      .nullable()
      .transform((list) => list ?? [])
      .exactOptional(),
    lowStockThreshold: threshold.nullable().exactOptional(),
    weightGrams: weightGrams.nullable().exactOptional(),
    requiresShipping: kept(z.boolean()),
    taxCategoryId: z.uuid().nullable().exactOptional(),
  });
  refuseExcess(excessOfVariant(input, []));
  const { price: priceMinor, compareAtPrice: compareAtMinor, ...rest } = parseInput(schema, input);
  return {
    ...rest,
    ...(priceMinor === undefined ? {} : { priceMinor }),
    ...(compareAtMinor === undefined ? {} : { compareAtMinor }),
  };
}

/** Parses what a category is to be. @throws Refusal */
export function parseNewCategory(input: object): NewCategory {
  return parseInput<NewCategory>(z.object({ name, slug: slug.nullish().transform((given) => given ?? null) }), input);
}

const categoryChanges = z.object({ name: kept(name), slug: kept(slug) });

/** Parses what is to become of a category. @throws Refusal */
export function parseCategoryChanges(input: object): CategoryChanges {
  return parseInput<CategoryChanges>(categoryChanges, input);
}

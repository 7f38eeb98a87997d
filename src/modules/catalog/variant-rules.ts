import { InvalidInputError } from '../invalid-input.ts';
import { GenericError, type InputPath, type UserError } from '../user-error.ts';
import type { ProductVariant } from './catalog.service.ts';
import type { NewVariant } from './catalog.types.ts';

/** A variant that is to join a product, and where the caller named it. */
export interface Joining {
  variant: NewVariant;
  path: InputPath;
}

type Choice = ProductVariant['selectedOptions'];

const namesOf = (choice: Choice) => choice.map((option) => option.name);
const keyOf = (texts: readonly string[]) => JSON.stringify(texts);
const choiceOf = (choice: Choice) => keyOf(choice.map((option) => option.value));

/**
 * What keeps variants from being variants of one product: all choose among the same options in the same order, no two of
 * them alike, and only one that stands alone needs no options. SKUs are compared among those who join alone.
 * @param live the product's variants that are not archived
 */
export function faultsOfJoining(
  joining: readonly Joining[],
  live: readonly { selectedOptions: Choice }[],
): UserError[] {
  const faults: UserError[] = [];
  const skus = new Set<string>();
  const choices = new Set(live.map((variant) => choiceOf(variant.selectedOptions)));
  const [first] = live;
  const model = first ?? joining.map(({ variant }) => variant).find((variant) => variant.selectedOptions.length > 0);
  const names = namesOf(model?.selectedOptions ?? []);
  for (const { variant, path } of joining) {
    if (skus.has(variant.sku)) faults.push(new GenericError('CONFLICT', 'The SKU appears twice.', [...path, 'sku']));
    skus.add(variant.sku);
    faults.push(...faultsOfChoice(variant, { path, names, choices, first, alone: live.length + joining.length === 1 }));
    choices.add(choiceOf(variant.selectedOptions));
  }
  return faults;
}

function faultsOfChoice(
  { selectedOptions }: NewVariant,
  product: {
    path: InputPath;
    names: readonly string[];
    choices: ReadonlySet<string>;
    first: unknown;
    alone: boolean;
  },
): UserError[] {
  const path = [...product.path, 'selectedOptions'];
  const names = namesOf(selectedOptions);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice !== -1) {
    return [new InvalidInputError('NAMED_TWICE', 'The option appears twice.', [...path, String(twice), 'name'])];
  }
  if (names.length === 0 && !product.alone) {
    return [
      new InvalidInputError(
        'OPTIONS_REQUIRED',
        'A product with several variants needs options that distinguish them.',
        path,
      ),
    ];
  }
  if (keyOf(names) !== keyOf(product.names)) {
    const message =
      product.names.length === 0
        ? "The product's variant has no options: no other can stand beside it."
        : `Every variant of this product has these options, in this order: ${product.names.join(', ')}.`;
    if (product.first !== undefined) return [new GenericError('CONFLICT', message, path)];
    const parameters = { options: JSON.stringify(product.names) };
    return [new InvalidInputError('OPTIONS_DIFFER', message, path, parameters)];
  }
  if (!product.choices.has(choiceOf(selectedOptions))) return [];
  return [new GenericError('CONFLICT', 'The product already has a variant with these option values.', path)];
}

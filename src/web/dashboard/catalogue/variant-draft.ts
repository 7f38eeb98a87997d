import { graphql } from '../../shared/graphql.ts';
import type {
  ProductVariantInput,
  ProductVariantUpdateInput,
  SelectedOptionInput,
  StaffVariantFragment,
} from '../../generated/graphql.ts';
import type { Faults } from '../parts/faults.ts';

export const VARIANT = graphql(`
  fragment StaffVariant on ProductVariant {
    id
    sku
    title
    updatedAt
    available
    onHand
    held
    lowStockThreshold
    selectedOptions {
      name
      value
    }
    price {
      amount
      currencyCode
    }
    compareAtPrice {
      amount
      currencyCode
    }
  }
`);

/** A variant as the fields of the form have it. */
export interface VariantDraft {
  sku: string;
  price: string;
  compareAtPrice: string;
  lowStockThreshold: string;
  /** Units to begin with; of new variants alone. */
  onHand: string;
  options: readonly SelectedOptionInput[];
}

export const VARIANT_NAMES: Readonly<Record<keyof VariantDraft, string>> = {
  sku: 'SKU',
  price: 'Price',
  compareAtPrice: 'Former price',
  lowStockThreshold: 'Low from',
  onHand: 'Units on hand',
  options: 'Options',
};

export function newVariant(optionNames: readonly string[]): VariantDraft {
  const options = optionNames.map((name) => ({ name, value: '' }));
  return { sku: '', price: '', compareAtPrice: '', lowStockThreshold: '', onHand: '0', options };
}

export function variantDraftOf(variant: StaffVariantFragment): VariantDraft {
  const { sku, price, compareAtPrice, lowStockThreshold, selectedOptions } = variant;
  return {
    sku,
    price: price.amount,
    compareAtPrice: compareAtPrice?.amount ?? '',
    lowStockThreshold: String(lowStockThreshold),
    onHand: '',
    options: selectedOptions.map(({ name, value }) => ({ name, value })),
  };
}

export function variantValueInWords(field: keyof VariantDraft, draft: VariantDraft): string {
  const value = draft[field];
  return typeof value === 'string' ? value : value.map((option) => `${option.name}: ${option.value}`).join(', ');
}

const isAmount = (text: string) => /^\d{1,12}([.,]\d{1,6})?$/.test(text.trim());
const isCount = (text: string) => /^\d{1,9}$/.test(text.trim());
const toAmount = (text: string) => text.trim().replace(',', '.');

/** What the form itself can see is wrong: the API takes no text in the place of a number. */
export function faultsOfDraft({ price, compareAtPrice, lowStockThreshold, onHand }: VariantDraft): Faults {
  const amount = 'Enter an amount, such as 19.90.';
  const count = 'Enter a whole number.';
  return {
    ...(isAmount(price) ? {} : { price: amount }),
    ...(compareAtPrice.trim() === '' || isAmount(compareAtPrice) ? {} : { compareAtPrice: amount }),
    ...(lowStockThreshold.trim() === '' || isCount(lowStockThreshold) ? {} : { lowStockThreshold: count }),
    ...(onHand.trim() === '' || isCount(onHand) ? {} : { onHand: count }),
  };
}

/** What the API is to be sent for a new variant. An empty threshold is the shop's own. */
export function variantCreationOf(draft: VariantDraft): ProductVariantInput {
  const { sku, price, compareAtPrice, lowStockThreshold, onHand, options } = draft;
  return {
    sku,
    price: toAmount(price),
    selectedOptions: [...options],
    ...(compareAtPrice.trim() === '' ? {} : { compareAtPrice: toAmount(compareAtPrice) }),
    ...(lowStockThreshold.trim() === '' ? {} : { lowStockThreshold: Number(lowStockThreshold) }),
    ...(onHand.trim() === '' ? {} : { onHand: Number(onHand) }),
  };
}

/** What `productVariantUpdate` is to be sent for some changed fields. Null clears a field. */
export function variantUpdateOf(changes: Partial<VariantDraft>): Omit<ProductVariantUpdateInput, 'id'> {
  const { sku, price, compareAtPrice, lowStockThreshold, options } = changes;
  return {
    ...(sku === undefined ? {} : { sku }),
    ...(price === undefined ? {} : { price: toAmount(price) }),
    ...(compareAtPrice === undefined
      ? {}
      : { compareAtPrice: compareAtPrice.trim() === '' ? null : toAmount(compareAtPrice) }),
    ...(lowStockThreshold === undefined
      ? {}
      : { lowStockThreshold: lowStockThreshold.trim() === '' ? null : Number(lowStockThreshold) }),
    ...(options === undefined ? {} : { selectedOptions: [...options] }),
  };
}

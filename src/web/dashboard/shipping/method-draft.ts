import { graphql } from '../../shared/graphql.ts';
import type {
  ShippingMethodUpdateInput,
  ShippingRateBasis,
  ShippingRateInput,
  StaffMethodFragment,
} from '../../generated/graphql.ts';
import { decimal, isDecimal, orNull } from '../parts/entered.ts';

export const METHOD = graphql(`
  fragment StaffMethod on ShippingMethod {
    id
    title
    description
    deliveryEstimate
    position
    updatedAt
    freeFrom {
      amount
      currencyCode
    }
    taxCategory {
      id
      name
    }
    rates {
      basis
      from
      to
      price {
        amount
        currencyCode
      }
    }
  }
`);

/** A price of a method, as the fields of the form have it. */
export interface RateDraft {
  basis: ShippingRateBasis;
  from: string;
  to: string;
  price: string;
}

/** A method as the fields of the form have it. Empty texts stand for what is not set. */
export interface MethodDraft {
  title: string;
  description: string;
  deliveryEstimate: string;
  freeFrom: string;
  position: string;
  /** Empty: in proportion to the goods. */
  taxCategoryId: string;
  rates: readonly RateDraft[];
}

export const EMPTY_RATE: RateDraft = { basis: 'WEIGHT', from: '', to: '', price: '' };

export const EMPTY_METHOD: MethodDraft = {
  title: '',
  description: '',
  deliveryEstimate: '',
  freeFrom: '',
  position: '',
  taxCategoryId: '',
  rates: [EMPTY_RATE],
};

/** Zero as the beginning of a band is the same as none. */
const startOf = (from: string) => (Number(from) === 0 ? '' : from);

/** A method as the form edits it. */
export function draftOf(method: StaffMethodFragment): MethodDraft {
  return {
    title: method.title,
    description: method.description ?? '',
    deliveryEstimate: method.deliveryEstimate ?? '',
    freeFrom: method.freeFrom?.amount ?? '',
    position: method.position === 0 ? '' : String(method.position),
    taxCategoryId: method.taxCategory?.id ?? '',
    rates: (method.rates ?? []).map(({ basis, from, to, price }) => ({
      basis,
      from: startOf(from),
      to: to ?? '',
      price: price.amount,
    })),
  };
}

/** What is wrong with a draft before the shop is asked: numbers that are none. */
export function faultsOfDraft({ freeFrom, position, rates }: MethodDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  const check = (field: string, entered: string, isRequired = false) => {
    if (entered.trim() === '' ? isRequired : !isDecimal(entered)) faults[field] = 'Enter a number, such as 12.50.';
  };
  check('freeFrom', freeFrom);
  if (!/^\s*\d{0,9}\s*$/.test(position)) faults['position'] = 'Enter a whole number.';
  for (const [index, { from, to, price }] of rates.entries()) {
    check(`rates.${index}.from`, from);
    check(`rates.${index}.to`, to);
    check(`rates.${index}.price`, price, true);
  }
  return faults;
}

const rateOf = ({ basis, from, to, price }: RateDraft): ShippingRateInput => ({
  basis,
  from: orNull(from, decimal),
  to: orNull(to, decimal),
  price: decimal(price),
});

/** What the API is to be sent, for a new method and for changes alike. */
export function methodOf(draft: MethodDraft): Omit<ShippingMethodUpdateInput, 'id' | 'title' | 'rates'> & {
  title: string;
  rates: ShippingRateInput[];
} {
  return {
    title: draft.title,
    description: orNull(draft.description, (entered) => entered),
    deliveryEstimate: orNull(draft.deliveryEstimate, (entered) => entered),
    freeFrom: orNull(draft.freeFrom, decimal),
    position: orNull(draft.position, Number),
    taxCategoryId: draft.taxCategoryId === '' ? null : draft.taxCategoryId,
    rates: draft.rates.map(rateOf),
  };
}

type Money = (money: { amount: string; currencyCode: string }) => string;

/** For which carts a price counts, in a few words: `from 2,000 g`, `up to 50.00`. */
function bandInWords(
  { basis, from, to, price }: NonNullable<StaffMethodFragment['rates']>[number],
  money: Money,
): string {
  const bound = (value: string) =>
    basis === 'WEIGHT' ? `${Number(value).toLocaleString()} g` : money({ ...price, amount: value });
  const start = startOf(from) === '' ? null : bound(from);
  const end = to == null ? null : bound(to);
  if (start !== null) return end === null ? `from ${start}` : `${start} to ${end}`;
  return end === null ? 'always' : `up to ${end}`;
}

/** What a method costs, one text for each price. */
export function ratesInWords({ rates }: StaffMethodFragment, money: Money): string[] {
  return (rates ?? []).map((rate) => `${money(rate.price)}, ${bandInWords(rate, money)}`);
}

const METHOD_NAMES: Readonly<Record<keyof MethodDraft, string>> = {
  title: 'Title',
  description: 'Description',
  deliveryEstimate: 'Expected time of delivery',
  freeFrom: 'Free from',
  position: 'Position',
  taxCategoryId: 'Tax category of shipping',
  rates: 'Prices',
};

/** Name and value of a field, for people who decide between two versions of a method. */
export function methodFieldInWords(
  field: keyof MethodDraft,
  method: StaffMethodFragment,
  money: Money,
): [string, string] {
  const name = METHOD_NAMES[field];
  if (field === 'rates') return [name, ratesInWords(method, money).join('; ')];
  if (field === 'taxCategoryId') return [name, method.taxCategory?.name ?? 'in proportion to the goods'];
  return [name, draftOf(method)[field]];
}

import type { CombinedError } from 'urql';
import type { ShopFaultFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';

graphql(`
  fragment ShopFault on UserError {
    __typename
    code
    message
    path
    ... on InsufficientStockError {
      available
      requested
      variant {
        id
        available
        availableForSale
        title
        product {
          id
          title
        }
      }
    }
  }
`);

const NO_ANSWER = 'The shop did not answer. Check your connection and try again.';

/** Why something was not done, for the shopper; null where it was. */
export function faultInWords(
  errors: readonly ShopFaultFragment[] | undefined,
  error: CombinedError | undefined,
): string | null {
  if (error !== undefined) return error.graphQLErrors[0]?.message ?? NO_ANSWER;
  if (errors === undefined) return NO_ANSWER;
  if (errors.length === 0) return null;
  return errors.map(oneInWords).join(' ');
}

function oneInWords(fault: ShopFaultFragment): string {
  if (fault.__typename === 'InsufficientStockError' && fault.variant != null) {
    const { available, variant } = fault;
    const name = variant.title === 'Default' ? variant.product.title : `${variant.product.title}, ${variant.title}`;
    return available > 0 ? `Only ${available} more of ${name} can be had right now.` : `${name} has just sold out.`;
  }
  return fault.message;
}

/** The fault of one field of an input, in words. */
export function faultOf(errors: readonly ShopFaultFragment[], field: string): string | null {
  const found = errors.find(({ path }) => path?.includes(field) === true);
  if (found === undefined) return null;
  // Messages begin with the name of the field, which has a label here.
  const words = found.message.replace(new RegExp(`^\`?${field}\`? `), '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

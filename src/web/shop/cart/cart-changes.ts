import { useState } from 'react';
import { useMutation, type CombinedError } from 'urql';
import type { ShopFaultFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';
import './cart-state.ts';

const ADD = graphql(`
  mutation ShopCartAdd($input: CartLinesAddInput!) {
    cartLinesAdd(input: $input) {
      cart {
        ...CartDetails
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation ShopCartUpdate($input: CartLinesUpdateInput!) {
    cartLinesUpdate(input: $input) {
      cart {
        ...CartDetails
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const RECLAIM = graphql(`
  mutation ShopCartReclaim($input: CartReclaimInput!) {
    cartReclaim(input: $input) {
      cart {
        ...CartDetails
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

interface Outcome {
  cart?: unknown;
  errors: readonly ShopFaultFragment[];
}

/** The changes that a shopper makes to the cart, with what came of the last one in words. Each gives true when it was done. */
export function useCartChanges() {
  const [{ fetching: adding }, add] = useMutation(ADD);
  const [{ fetching: updating }, update] = useMutation(UPDATE);
  const [{ fetching: reclaiming }, reclaim] = useMutation(RECLAIM);
  const [fault, setFault] = useState<string | null>(null);

  function settle(outcome: Outcome | null | undefined, error: CombinedError | undefined): boolean {
    const words = faultInWords(outcome?.errors, error);
    setFault(words);
    return words === null;
  }
  return {
    busy: adding || updating || reclaiming,
    fault,
    clearFault: () => setFault(null),
    async add(variantId: string, quantity: number): Promise<boolean> {
      const { data, error } = await add({ input: { lines: [{ variantId, quantity }] } });
      return settle(data?.cartLinesAdd, error);
    },
    async setQuantity(id: string, quantity: number): Promise<boolean> {
      const { data, error } = await update({ input: { lines: [{ id, quantity }] } });
      return settle(data?.cartLinesUpdate, error);
    },
    async reclaim(cartId: string): Promise<boolean> {
      const { data, error } = await reclaim({ input: { cartId } });
      return settle(data?.cartReclaim, error);
    },
  };
}

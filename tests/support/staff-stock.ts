import { graphql } from '../generated/gql/index.ts';
import type { StockAdjustInput, StockSetInput } from '../generated/gql/graphql.ts';
import type { Client } from './client.ts';
import type { World } from './fixtures.ts';
import { known } from './known.ts';

graphql(`
  fragment StaffStockVariant on ProductVariant {
    id
    sku
    available
    onHand
    held
  }
`);

graphql(`
  fragment StaffStockError on UserError {
    __typename
    code
    message
    path
    ... on InsufficientStockError {
      requested
      available
      variant {
        sku
      }
    }
    ... on StockConflictError {
      expectedOnHand
      onHand
      variant {
        sku
      }
    }
    ... on LimitExceededError {
      limit
      requested
      ofVariant: variant {
        sku
      }
    }
  }
`);

/** What staff can say about stock, as typed documents. */
export const staffStockDocuments = {
  adjust: graphql(`
    mutation StaffStockAdjust($input: StockAdjustInput!) {
      stockAdjust(input: $input) {
        variant {
          ...StaffStockVariant
        }
        errors {
          ...StaffStockError
        }
      }
    }
  `),
  set: graphql(`
    mutation StaffStockSet($input: StockSetInput!) {
      stockSet(input: $input) {
        variant {
          ...StaffStockVariant
        }
        errors {
          ...StaffStockError
        }
      }
    }
  `),
};

let count = 0;

/** A key that nobody used before. */
export function newKey(): string {
  count += 1;
  return `key ${count}`;
}

/** Somebody who counts stock; each call gives the payload, errors and all. */
export function stockKeeperOf(client: Client) {
  return {
    /** A RESTOCK under a key of its own by default. */
    adjust: async (input: Partial<StockAdjustInput> & Pick<StockAdjustInput, 'variantId' | 'delta'>) => {
      const whole: StockAdjustInput = { reason: 'RESTOCK', idempotencyKey: newKey(), ...input };
      return known((await client.data(staffStockDocuments.adjust, { input: whole })).stockAdjust);
    },
    set: async (input: StockSetInput) => known((await client.data(staffStockDocuments.set, { input })).stockSet),
  };
}

export type StockKeeper = ReturnType<typeof stockKeeperOf>;

/** What staff are recorded to have done to something, oldest first. */
export function recordOf({ db }: Pick<World, 'db'>, subjectId: string): Promise<Record<string, unknown>[]> {
  return db.query(
    {
      name: 'test_record_of',
      text: `SELECT actor_id AS "actorId", kind, subject_type AS "subjectType", changes, note
               FROM staff_actions WHERE subject_id = $1 ORDER BY id`,
    },
    [subjectId],
  );
}

import { v7 as uuid } from 'uuid';
import { graphql } from '../generated/gql/index.ts';
import type {
  PromotionCodesAddInput,
  PromotionCodesGenerateInput,
  PromotionCodesRemoveInput,
  PromotionCreateInput,
  PromotionUpdateInput,
} from '../generated/gql/graphql.ts';
import { normalizeCode } from '../../src/modules/promotions/code.ts';
import type { Client } from './client.ts';
import { globalId, type World } from './fixtures.ts';
import { known } from './known.ts';

graphql(`
  fragment PromotionError on UserError {
    __typename
    code
    message
    reason
    path
    ... on LimitExceededError {
      limit
      requested
    }
  }
`);

graphql(`
  fragment PromotionParts on Promotion {
    id
    title
    status
    trigger
    scope
    kind
    percent
    amount {
      amount
    }
    buyQuantity
    getQuantity
    maxSets
    products {
      id
    }
    variants {
      id
    }
    categories {
      id
    }
    tags
    excludedProducts {
      id
    }
    excludedVariants {
      id
    }
    excludedCategories {
      id
    }
    excludedTags
    getProducts {
      id
    }
    getVariants {
      id
    }
    getCategories {
      id
    }
    getTags
    minSubtotal {
      amount
    }
    minQuantity
    countries
    firstOrderOnly
    customers {
      id
    }
    startsAt
    endsAt
    priority
    combinesWith
    usageLimit
    usageLimitPerCustomer
    budget {
      amount
    }
    used
    spent {
      amount
    }
  }
`);

const documents = {
  create: graphql(`
    mutation PromotionsCreate($input: PromotionCreateInput!) {
      promotionCreate(input: $input) {
        promotion {
          ...PromotionParts
        }
        errors {
          ...PromotionError
        }
      }
    }
  `),
  update: graphql(`
    mutation PromotionsUpdate($input: PromotionUpdateInput!) {
      promotionUpdate(input: $input) {
        promotion {
          ...PromotionParts
        }
        errors {
          ...PromotionError
        }
      }
    }
  `),
  end: graphql(`
    mutation PromotionsEnd($input: PromotionEndInput!) {
      promotionEnd(input: $input) {
        promotion {
          ...PromotionParts
        }
        errors {
          ...PromotionError
        }
      }
    }
  `),
  remove: graphql(`
    mutation PromotionsDelete($input: PromotionDeleteInput!) {
      promotionDelete(input: $input) {
        deletedId
        errors {
          ...PromotionError
        }
      }
    }
  `),
  addCodes: graphql(`
    mutation PromotionsCodesAdd($input: PromotionCodesAddInput!) {
      promotionCodesAdd(input: $input) {
        promotion {
          status
        }
        codes
        errors {
          ...PromotionError
        }
      }
    }
  `),
  generateCodes: graphql(`
    mutation PromotionsCodesGenerate($input: PromotionCodesGenerateInput!) {
      promotionCodesGenerate(input: $input) {
        promotion {
          status
        }
        codes
        errors {
          ...PromotionError
        }
      }
    }
  `),
  removeCodes: graphql(`
    mutation PromotionsCodesRemove($input: PromotionCodesRemoveInput!) {
      promotionCodesRemove(input: $input) {
        promotion {
          status
        }
        codes
        errors {
          ...PromotionError
        }
      }
    }
  `),
};

/** Staff who keep promotions; each call gives the payload, errors and all. */
export function promoterOf(client: Client) {
  return {
    client,
    create: async (input: Partial<PromotionCreateInput>) =>
      known((await client.data(documents.create, { input: promotionInput(input) })).promotionCreate),
    update: async (input: PromotionUpdateInput) =>
      known((await client.data(documents.update, { input })).promotionUpdate),
    end: async (id: string) => known((await client.data(documents.end, { input: { id } })).promotionEnd),
    remove: async (id: string) => known((await client.data(documents.remove, { input: { id } })).promotionDelete),
    addCodes: async (input: PromotionCodesAddInput) =>
      known((await client.data(documents.addCodes, { input })).promotionCodesAdd),
    generateCodes: async (input: PromotionCodesGenerateInput) =>
      known((await client.data(documents.generateCodes, { input })).promotionCodesGenerate),
    removeCodes: async (input: PromotionCodesRemoveInput) =>
      known((await client.data(documents.removeCodes, { input })).promotionCodesRemove),
  };
}

export type Promoter = ReturnType<typeof promoterOf>;

/** A promotion to create, with so much said of it as must be. */
export function promotionInput(input: Partial<PromotionCreateInput> = {}): PromotionCreateInput {
  const kind = input.kind ?? 'PERCENT';
  return {
    title: 'Ten percent off',
    trigger: input.codes == null ? 'AUTOMATIC' : 'CODE',
    scope: 'ORDER',
    kind,
    ...(kind === 'PERCENT' ? { percent: '10' } : {}),
    ...input,
  };
}

/**
 * Puts a promotion of 10 % into the database.
 * @param codes make it a promotion by code
 * @returns its global ID
 */
export async function makePromotion({ db }: Pick<World, 'db'>, ...codes: string[]): Promise<string> {
  const id = uuid();
  await db.query(
    {
      name: 'fixture_promotion',
      text: `INSERT INTO promotions (id, title, trigger, scope, kind, percent_ppm, starts_at, created_at, updated_at)
             VALUES ($1, 'Ten percent off', 'CODE', 'ORDER', 'PERCENT', 100000, now(), now(), now())`,
    },
    [id],
  );
  await db.query(
    {
      name: 'fixture_promotion_codes',
      text: `INSERT INTO promotion_codes (promotion_id, code, normalized, created_at)
             SELECT $1::uuid, code, normalized, now() FROM unnest($2::text[], $3::text[]) AS c(code, normalized)`,
    },
    [id, codes, codes.map((code) => normalizeCode(code))],
  );
  return globalId('Promotion', id);
}

/** Sets what orders have used of a promotion. */
export async function setUsed(
  { db }: Pick<World, 'db'>,
  promotionId: string,
  used: number,
  spentMinor: number,
): Promise<void> {
  await db.query(
    { name: 'fixture_promotion_used', text: 'UPDATE promotions SET used = $2, spent_minor = $3 WHERE id = $1' },
    [Buffer.from(promotionId, 'base64').toString().split(':')[1], used, spentMinor],
  );
}

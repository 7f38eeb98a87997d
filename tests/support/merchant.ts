import { graphql } from '../generated/gql/index.ts';
import type {
  CategoryCreateInput,
  CategoryUpdateInput,
  ProductCreateInput,
  ProductUpdateInput,
  ProductVariantCreateInput,
  ProductVariantInput,
  ProductVariantUpdateInput,
} from '../generated/gql/graphql.ts';
import type { Client } from './client.ts';
import type { World } from './fixtures.ts';
import { known } from './known.ts';

graphql(`
  fragment StaffCatalogError on UserError {
    __typename
    code
    message
    path
    ... on LimitExceededError {
      limit
      requested
    }
  }
`);

graphql(`
  fragment StaffCatalogVariant on ProductVariant {
    id
    sku
    title
    selectedOptions {
      name
      value
    }
    price {
      amount
    }
    compareAtPrice {
      amount
    }
    available
    availableForSale
    lowStockThreshold
    product {
      id
      updatedAt
      variants {
        sku
      }
    }
  }
`);

graphql(`
  fragment StaffCatalogProduct on Product {
    id
    slug
    title
    description
    vendor
    tags
    status
    category {
      slug
    }
    images {
      url
      altText
    }
    options {
      name
      values
    }
    variants {
      ...StaffCatalogVariant
    }
    priceRange {
      min {
        amount
      }
      max {
        amount
      }
    }
    availableForSale
    createdAt
    updatedAt
  }
`);

/** What staff can say of the catalogue, as typed documents. */
export const merchantDocuments = {
  createProduct: graphql(`
    mutation StaffCatalogProductCreate($input: ProductCreateInput!) {
      productCreate(input: $input) {
        product {
          ...StaffCatalogProduct
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  updateProduct: graphql(`
    mutation StaffCatalogProductUpdate($input: ProductUpdateInput!) {
      productUpdate(input: $input) {
        product {
          ...StaffCatalogProduct
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  archiveProduct: graphql(`
    mutation StaffCatalogProductArchive($input: ProductArchiveInput!) {
      productArchive(input: $input) {
        product {
          ...StaffCatalogProduct
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  createVariant: graphql(`
    mutation StaffCatalogVariantCreate($input: ProductVariantCreateInput!) {
      productVariantCreate(input: $input) {
        variant {
          ...StaffCatalogVariant
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  updateVariant: graphql(`
    mutation StaffCatalogVariantUpdate($input: ProductVariantUpdateInput!) {
      productVariantUpdate(input: $input) {
        variant {
          ...StaffCatalogVariant
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  archiveVariant: graphql(`
    mutation StaffCatalogVariantArchive($input: ProductVariantArchiveInput!) {
      productVariantArchive(input: $input) {
        variant {
          ...StaffCatalogVariant
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  createCategory: graphql(`
    mutation StaffCatalogCategoryCreate($input: CategoryCreateInput!) {
      categoryCreate(input: $input) {
        category {
          id
          slug
          name
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  updateCategory: graphql(`
    mutation StaffCatalogCategoryUpdate($input: CategoryUpdateInput!) {
      categoryUpdate(input: $input) {
        category {
          id
          slug
          name
        }
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
  deleteCategory: graphql(`
    mutation StaffCatalogCategoryDelete($input: CategoryDeleteInput!) {
      categoryDelete(input: $input) {
        deletedId
        errors {
          ...StaffCatalogError
        }
      }
    }
  `),
};

const documents = merchantDocuments;

/** Somebody who writes the catalogue; each call gives the payload, errors and all. */
export function merchantOf(client: Client) {
  return {
    client,
    createProduct: async (input: ProductCreateInput) =>
      known((await client.data(documents.createProduct, { input })).productCreate),
    updateProduct: async (input: ProductUpdateInput) =>
      known((await client.data(documents.updateProduct, { input })).productUpdate),
    archiveProduct: async (id: string) =>
      known((await client.data(documents.archiveProduct, { input: { id } })).productArchive),
    createVariant: async (input: ProductVariantCreateInput) =>
      known((await client.data(documents.createVariant, { input })).productVariantCreate),
    updateVariant: async (input: ProductVariantUpdateInput) =>
      known((await client.data(documents.updateVariant, { input })).productVariantUpdate),
    archiveVariant: async (id: string) =>
      known((await client.data(documents.archiveVariant, { input: { id } })).productVariantArchive),
    createCategory: async (input: CategoryCreateInput) =>
      known((await client.data(documents.createCategory, { input })).categoryCreate),
    updateCategory: async (input: CategoryUpdateInput) =>
      known((await client.data(documents.updateCategory, { input })).categoryUpdate),
    deleteCategory: async (id: string) =>
      known((await client.data(documents.deleteCategory, { input: { id } })).categoryDelete),
  };
}

export type Merchant = ReturnType<typeof merchantOf>;

let count = 0;

/** A SKU that nothing had before. */
export function newSku(): string {
  count += 1;
  return `STAFF-${String(count).padStart(6, '0')}`;
}

/** A variant to be made, with so much said of it as must be. */
export function variantInput(input: Partial<ProductVariantInput> = {}): ProductVariantInput {
  return { sku: newSku(), price: '5.00', ...input };
}

/** A choice of options: `{ Size: 'S' }`. */
export function choice(options: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(options).map(([name, value]) => ({ name, value }));
}

/** An entry of the record of staff. */
export interface Recorded {
  actorId: string | null;
  kind: string;
  subjectType: string;
  changes: { field: string; before: string | null; after: string | null }[];
  occurredAt: Date;
}

/** What the record has of a row, the earliest first. */
export function recordOf({ db }: Pick<World, 'db'>, subjectId: string): Promise<Recorded[]> {
  return db.query<Recorded>(
    {
      name: 'test_record_of',
      text: `SELECT actor_id AS "actorId", kind, subject_type AS "subjectType", changes, occurred_at AS "occurredAt"
               FROM staff_actions WHERE subject_id = $1 ORDER BY id`,
    },
    [subjectId],
  );
}

/** The kinds of the record's entries of a row, each with its changes in short: `field: before → after`. */
export async function recordedOf(world: Pick<World, 'db'>, subjectId: string): Promise<[string, string[]][]> {
  const entries = await recordOf(world, subjectId);
  return entries.map(({ kind, changes }) => [
    kind,
    changes.map(({ field, before, after }) => `${field}: ${before ?? '-'} → ${after ?? '-'}`),
  ]);
}

/** A payload's errors in short: code and path. */
export function faultsOf({ errors }: { errors: readonly { code: string; path: string[] | null }[] }): string[] {
  return errors.map(({ code, path }) => `${code} ${path?.join('.') ?? '-'}`);
}

import type { ExpectedVersion } from '../edit-conflict.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { Category, Product, ProductVariant } from './catalog.service.ts';
import type {
  CategoryChanges,
  NewCategory,
  NewProduct,
  NewVariant,
  ProductChanges,
  VariantChanges,
} from './catalog.types.ts';
import { createCategoryWriting } from './category-writing.ts';
import { createProductWriting } from './product-writing.ts';
import type { CatalogWritingDependencies } from './variant-steps.ts';
import { createVariantWriting } from './variant-writing.ts';

export { parseProductChanges, parseVariantChanges } from './catalog-input.ts';

/** Who changes the catalogue: a user, or null for the shop's own command, run on its machine, and for a CMS. */
export type Actor = string | null;

/**
 * The catalogue, to write. Each use case is a transaction of its own with its event and its entry in the record; what
 * changes nothing leaves neither. Refusals are thrown as `Refusal`, and nothing has changed then.
 */
export interface CatalogWritingService {
  /** Refuses with CONFLICT where slug or SKU is taken, NOT_FOUND where the category is not there. */
  createProduct(actor: Actor, product: NewProduct): Promise<Product>;
  /** @param expected `updatedAt` as the editor saw it; a change since refuses with EDIT_CONFLICT */
  updateProduct(actor: Actor, id: string, changes: ProductChanges, expected?: ExpectedVersion): Promise<Product>;
  /** Carts that hold it keep it, and can check out. */
  archiveProduct(actor: Actor, id: string): Promise<Product>;
  createVariant(actor: Actor, productId: string, variant: NewVariant): Promise<ProductVariant>;
  /** Archived ones too: another SKU makes theirs free again. */
  updateVariant(actor: Actor, id: string, changes: VariantChanges, expected?: ExpectedVersion): Promise<ProductVariant>;
  /** Refuses with CONFLICT where it is the last of its product that is not archived. */
  archiveVariant(actor: Actor, id: string): Promise<ProductVariant>;
  createCategory(actor: Actor, category: NewCategory): Promise<Category>;
  updateCategory(actor: Actor, id: string, changes: CategoryChanges, expected?: ExpectedVersion): Promise<Category>;
  /** Its products stay, without a category. */
  deleteCategory(actor: Actor, id: string): Promise<void>;
  /** The use cases as steps of the caller's transaction, which must roll back if one of them throws a Refusal. */
  within(tx: Transaction): Omit<CatalogWritingService, 'within'>;
}

/** Wires the writing. */
export function createCatalogWritingService(deps: CatalogWritingDependencies): CatalogWritingService {
  return {
    ...createUseCases(deps),
    within: (tx) => createUseCases({ ...deps, db: { ...deps.db, transaction: (work) => work(tx) } }),
  };
}

function createUseCases(deps: CatalogWritingDependencies): Omit<CatalogWritingService, 'within'> {
  return { ...createProductWriting(deps), ...createVariantWriting(deps), ...createCategoryWriting(deps) };
}

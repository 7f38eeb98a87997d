import DataLoader from 'dataloader';
import { byId, counts, pages, registerLoaders, type PageLoader } from '../../graphql/context/loaders.ts';
import type { Category, Product, ProductVariant } from './catalog.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    product: DataLoader<string, Product | null>;
    variant: DataLoader<string, ProductVariant | null>;
    variantsOfProduct: DataLoader<string, ProductVariant[]>;
    category: DataLoader<string, Category | null>;
    productsOfCategory: PageLoader<Product>;
    productCountOfCategory: DataLoader<string, number>;
  }
}

registerLoaders({
  product: ({ catalog }) => byId((ids) => catalog.productsByIds(ids)),
  variant: ({ catalog }) => byId((ids) => catalog.variantsByIds(ids)),
  variantsOfProduct: ({ catalog }) =>
    new DataLoader(async (productIds) => {
      const variants = await catalog.variantsOfProducts(productIds);
      return productIds.map((id) => variants.filter((variant) => variant.productId === id));
    }),
  category: ({ catalog }) => byId((ids) => catalog.categoriesByIds(ids)),
  productsOfCategory: ({ catalog }) => pages((ids, page) => catalog.productPagesOfCategories(ids, page)),
  productCountOfCategory: ({ catalog }) => counts((ids) => catalog.productCountsOfCategories(ids)),
});

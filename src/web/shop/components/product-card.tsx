import { Link } from 'wouter';
import { graphql } from '../../shared/graphql.ts';
import type { ProductCardFragment } from '../../generated/graphql.ts';
import { Picture } from './picture.tsx';
import { LowestPrice } from './price.tsx';
import { ProductStockNote } from './stock-note.tsx';
import './product-card.css';

graphql(`
  fragment ProductCard on Product {
    id
    slug
    title
    vendor
    images {
      ...Picture
    }
    variants {
      ...VariantStock
      ...PriceTag
      title
    }
  }
`);

/** A product in a list: its plate, its name, what it costs, and a word where few are left. */
export function ProductCard({ product, eager = false }: { product: ProductCardFragment; eager?: boolean }) {
  const { slug, title, vendor, images, variants } = product;
  const out = variants.every(({ availableForSale }) => !availableForSale);
  return (
    <article className={`product-card ${out ? 'product-card-out' : ''}`}>
      <Picture image={images[0]} title="" eager={eager} />
      <div className="product-card-words">
        <h3>
          <Link href={`/products/${slug}`}>{title}</Link>
        </h3>
        {vendor != null && <p className="quiet small">{vendor}</p>}
        <p className="product-card-foot">
          <LowestPrice variants={variants} />
          <ProductStockNote variants={variants} />
        </p>
      </div>
    </article>
  );
}

/** The place of a card that is on its way. */
export function ProductCardSkeleton() {
  return (
    <div className="product-card" aria-hidden="true">
      <span className="picture skeleton" />
      <div className="product-card-words">
        <span className="skeleton skeleton-line" />
        <span className="skeleton skeleton-line skeleton-short" />
      </div>
    </div>
  );
}

/** Cards in columns. */
export function ProductGrid({
  products,
  loading = 0,
  eager = 0,
}: {
  products: readonly ProductCardFragment[];
  /** Places for cards that are on their way. */
  loading?: number;
  /** Cards that are seen at once. */
  eager?: number;
}) {
  return (
    <ul className="product-grid" aria-busy={loading > 0}>
      {products.map((product, index) => (
        <li key={product.id}>
          <ProductCard product={product} eager={index < eager} />
        </li>
      ))}
      {Array.from({ length: loading }, (_, index) => (
        <li key={index}>
          <ProductCardSkeleton />
        </li>
      ))}
    </ul>
  );
}

import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { ProductDetailsFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive, usePage } from '../../shared/use-live.ts';
import { useLiveStock } from '../components/live-stock.ts';
import { Picture } from '../components/picture.tsx';
import { Price } from '../components/price.tsx';
import { ProductGrid } from '../components/product-card.tsx';
import { StockNote } from '../components/stock-note.tsx';
import { Page } from '../layout/page.tsx';
import { Failed, NotFound } from '../layout/states.tsx';
import { Buy } from '../product/buy.tsx';
import { OptionPicker, variantOf } from '../product/option-picker.tsx';
import './product-page.css';

graphql(`
  fragment ProductDetails on Product {
    id
    slug
    title
    description
    vendor
    tags
    status
    category {
      id
      slug
      name
    }
    images {
      ...Picture
    }
    options {
      name
      values
    }
    variants {
      ...VariantStock
      ...PriceTag
      title
      sku
      selectedOptions {
        name
        value
      }
    }
  }
`);

const PRODUCT = graphql(`
  query ProductPage($slug: String!) {
    product(slug: $slug) {
      asOf(for: "ProductPage")
      ...ProductDetails
    }
  }
`);

const CHANGED = graphql(`
  subscription ProductPageChanged($productIds: [ID!], $after: EventCursor) {
    productChanged(productIds: $productIds, after: $after) {
      cursor
      product {
        ...ProductDetails
      }
    }
  }
`);

const RELATED = graphql(`
  query RelatedProducts($categorySlug: String!) {
    eventCursor(for: "RelatedProducts")
    products(first: 6, filter: { categorySlug: $categorySlug, inStock: true }) {
      nodes {
        ...ProductCard
      }
    }
  }
`);

/** A product: its pictures, its choices, what is left of it, and the way into the cart. */
export function ProductPage({ slug }: { slug: string }) {
  const [{ data, error, fetching }, reload] = usePage(PRODUCT, { slug });
  const product = data?.product;
  const ids = product == null ? [] : [product.id];
  const after = product?.asOf;
  useLiveStock(ids, after);
  useLive(CHANGED, { variables: { productIds: ids }, after });
  if (product == null) {
    if (error !== undefined) {
      return (
        <Page title={null}>
          <Failed onRetry={reload} />
        </Page>
      );
    }
    return fetching || data === undefined ? <Skeleton /> : <NotFound what="There is no such product" />;
  }
  return (
    <Page title={product.title} description={product.description}>
      <Details product={product} />
      {product.category != null && <Related categorySlug={product.category.slug} productId={product.id} />}
    </Page>
  );
}

function Details({ product }: { product: ProductDetailsFragment }) {
  const [params, setParams] = useSearchParams();
  const wanted = params.get('variant');
  const variant = product.variants.find(({ sku }) => sku === wanted) ?? firstToBuy(product);
  const [shown, setShown] = useState(0);
  const image = product.images[Math.min(shown, product.images.length - 1)];
  return (
    <article className="product">
      <div className="product-pictures">
        <Picture image={image} title={product.title} eager />
        {product.images.length > 1 && (
          <ul className="product-thumbs" aria-label="Pictures">
            {product.images.map((each, index) => (
              <li key={each.url}>
                <button
                  type="button"
                  aria-label={`Picture ${index + 1} of ${product.images.length}`}
                  aria-pressed={each === image}
                  onClick={() => setShown(index)}
                >
                  <Picture image={{ ...each, altText: '' }} title="" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="product-words">
        {product.category != null && (
          <p className="product-over">
            <Link href={`/categories/${product.category.slug}`}>{product.category.name}</Link>
          </p>
        )}
        <h1>{product.title}</h1>
        {product.vendor != null && <p className="quiet">by {product.vendor}</p>}
        {variant !== undefined && (
          <>
            <p className="product-price">
              <Price variant={variant} />
              <StockNote variant={variant} />
            </p>
            <OptionPicker
              product={product}
              chosen={variant}
              onChoose={(selected) => {
                const next = variantOf(product, selected);
                if (next !== undefined) setParams({ variant: next.sku }, { replace: true });
              }}
            />
            <Buy key={variant.id} variant={variant} product={product} />
          </>
        )}
        <div className="product-text">
          {product.description.split(/\n{2,}/).map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
        </div>
        {product.tags.length > 0 && (
          <ul className="product-tags" aria-label="Tags">
            {product.tags.map((tag) => (
              <li key={tag}>
                <Link href={`/products?tag=${encodeURIComponent(tag)}`}>{tag}</Link>
              </li>
            ))}
          </ul>
        )}
        {variant !== undefined && <p className="quiet small number">{variant.sku}</p>}
      </div>
    </article>
  );
}

function firstToBuy({ variants }: ProductDetailsFragment) {
  return variants.find(({ availableForSale }) => availableForSale) ?? variants[0];
}

function Related({ categorySlug, productId }: { categorySlug: string; productId: string }) {
  const [{ data }] = usePage(RELATED, { categorySlug });
  const products = (data?.products?.nodes ?? []).filter(({ id }) => id !== productId).slice(0, 4);
  useLiveStock(
    products.map(({ id }) => id),
    data?.eventCursor,
  );
  if (products.length === 0) return null;
  return (
    <section aria-labelledby="related">
      <header className="section-head">
        <h2 id="related">Beside it on the shelf</h2>
      </header>
      <ProductGrid products={products} />
    </section>
  );
}

function Skeleton() {
  return (
    <Page title={null}>
      <div className="product" aria-busy="true" aria-label="Loading">
        <span className="picture skeleton" />
        <div className="product-words">
          <span className="skeleton skeleton-line" />
          <span className="skeleton product-skeleton-title" />
          <span className="skeleton skeleton-line skeleton-short" />
          <span className="skeleton product-skeleton-text" />
        </div>
      </div>
    </Page>
  );
}

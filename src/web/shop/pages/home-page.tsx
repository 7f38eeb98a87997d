import { Link } from 'wouter';
import type { HomePageQuery, ProductCardFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { useLiveStock } from '../components/live-stock.ts';
import { Picture } from '../components/picture.tsx';
import { LowestPrice } from '../components/price.tsx';
import { ProductGrid } from '../components/product-card.tsx';
import { isLow, ProductStockNote } from '../components/stock-note.tsx';
import { Page } from '../layout/page.tsx';
import { useShopName } from '../layout/shop-name.ts';
import { Failed } from '../layout/states.tsx';
import './home-page.css';

const HOME = graphql(`
  query HomePage {
    eventCursor(for: "HomePage")
    categories(first: 12) {
      nodes {
        id
        slug
        name
        products(first: 1) {
          nodes {
            id
            images {
              ...Picture
            }
          }
        }
      }
    }
    newest: products(first: 9, sort: { key: NEWEST }) {
      nodes {
        ...ProductCard
        description
      }
    }
    nearlyGone: products(first: 24, filter: { lowStock: true }) {
      nodes {
        ...ProductCard
      }
    }
  }
`);

const NEW_SHOWN = 8;
const NEARLY_GONE_SHOWN = 4;

/** The front page: what is new, what is nearly gone, and where things are filed. */
export function HomePage() {
  const shopName = useShopName();
  const [{ data, error }, reload] = usePage(HOME, {});
  const [first, ...others] = data?.newest?.nodes ?? [];
  const newest = others.slice(0, NEW_SHOWN);
  const nearlyGone = leastFirst(data?.nearlyGone?.nodes ?? []).slice(0, NEARLY_GONE_SHOWN);
  const shown = [first, ...newest, ...nearlyGone].filter((product) => product !== undefined);
  useLiveStock([...new Set(shown.map(({ id }) => id))], data?.eventCursor);
  return (
    <Page title="">
      {error !== undefined && data === undefined ? (
        <Failed onRetry={reload} />
      ) : (
        <>
          <h1 className="visually-hidden">{shopName}</h1>
          <Hero product={first} loading={data === undefined} />
          <Categories categories={data?.categories?.nodes ?? null} />
          {nearlyGone.length > 0 && (
            <section aria-labelledby="nearly-gone">
              <header className="section-head">
                <h2 id="nearly-gone">Nearly gone</h2>
                <Link href="/products?low=1">All that is nearly gone</Link>
              </header>
              <ProductGrid products={nearlyGone} />
            </section>
          )}
          <section aria-labelledby="newest">
            <header className="section-head">
              <h2 id="newest">New on the shelf</h2>
              <Link href="/products">All products</Link>
            </header>
            <ProductGrid products={newest} loading={data === undefined ? NEW_SHOWN : 0} eager={2} />
          </section>
        </>
      )}
    </Page>
  );
}

/** Products of which some variant is low, those with the fewest units of it first. */
function leastFirst(products: readonly ProductCardFragment[]): ProductCardFragment[] {
  const fewest = ({ variants }: ProductCardFragment) =>
    Math.min(...variants.filter((variant) => isLow(variant)).map(({ available }) => available));
  return products
    .filter((product) => Number.isFinite(fewest(product)))
    .toSorted((one, other) => fewest(one) - fewest(other));
}

type Newest = NonNullable<HomePageQuery['newest']>['nodes'][number];

/** The newest product, as on the poster in a shop's window. */
function Hero({ product, loading }: { product: Newest | undefined; loading: boolean }) {
  if (product === undefined) {
    return loading ? (
      <div className="hero hero-loading skeleton" aria-hidden="true" />
    ) : (
      <p className="quiet">The shelves are still empty.</p>
    );
  }
  const { slug, title, description, images, variants, vendor } = product;
  return (
    <section className="hero" aria-labelledby="hero-title">
      <div className="hero-words">
        <p className="hero-over">Just arrived{vendor != null && ` from ${vendor}`}</p>
        <h2 id="hero-title">{title}</h2>
        <p className="hero-text">{description}</p>
        <p className="hero-foot">
          <Link className="button button-primary" href={`/products/${slug}`}>
            Take a look
          </Link>
          <LowestPrice variants={variants} />
          <ProductStockNote variants={variants} />
        </p>
      </div>
      <Picture image={images[0]} title="" eager />
    </section>
  );
}

function Categories({ categories }: { categories: NonNullable<HomePageQuery['categories']>['nodes'] | null }) {
  if (categories?.length === 0) return null;
  return (
    <nav aria-labelledby="categories">
      <h2 id="categories" className="visually-hidden">
        Categories
      </h2>
      <ul className="categories">
        {categories === null
          ? [1, 2, 3, 4, 5].map((number) => <li key={number} className="category skeleton" aria-hidden="true" />)
          : categories.map(({ id, slug, name, products }) => (
              <li key={id}>
                <Link className="category" href={`/categories/${slug}`}>
                  <Picture image={products?.nodes[0]?.images[0]} title={name} />
                  <span>{name}</span>
                </Link>
              </li>
            ))}
      </ul>
    </nav>
  );
}

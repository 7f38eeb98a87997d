import { useEffect, useRef, useState } from 'react';
import type { ProductFilter, ProductSort } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Icon } from '../../shared/components/icon.tsx';
import { formatCount, formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { MOST_FOLLOWED, useLiveStock } from '../components/live-stock.ts';
import { ProductGrid } from '../components/product-card.tsx';
import { Page } from '../layout/page.tsx';
import { Failed, NotFound } from '../layout/states.tsx';
import { Filters, useNarrowing } from '../products/filters.tsx';
import { choicesIn, clear, filterOf, type Choice } from '../products/narrowing.ts';
import './products-page.css';

const PAGE_SIZE = 24;

const PRODUCTS = graphql(`
  query ProductsPage($filter: ProductFilter, $sort: ProductSort, $after: String) {
    eventCursor(for: "ProductsPage")
    products(first: 24, filter: $filter, sort: $sort, after: $after) {
      totalCount
      totalCountPrecision
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...ProductCard
      }
    }
  }
`);

const CATEGORY = graphql(`
  query CategoryName($slug: String!) {
    category(slug: $slug) {
      id
      slug
      name
    }
  }
`);

const CURRENCY = graphql(`
  query ShopCurrency {
    shop {
      currencyCode
    }
  }
`);

const SORTS: Readonly<Record<string, ProductSort>> = {
  new: { key: 'NEWEST' },
  cheap: { key: 'PRICE' },
  dear: { key: 'PRICE', reverse: true },
  title: { key: 'TITLE' },
};

/** All products, those of a category, or what a search finds: the address says which. */
export function ProductsPage({ category }: { category?: string }) {
  const [params, edit] = useNarrowing();
  const search = params.get('q')?.trim() ?? '';
  const filter = filterOf(params, category ?? params.get('category') ?? undefined);
  const sort = SORTS[params.get('sort') ?? ''];
  const name = useCategoryName(category);
  const currencyCode = useCurrency();
  const [found, setFound] = useState('');
  if (name === undefined) return <NotFound what="There is no such category" />;
  const title = name ?? (search === '' ? 'All products' : `“${search}”`);
  const choices = choicesIn(params, (amount) =>
    currencyCode === null ? amount : formatMoney({ amount, currencyCode }),
  );
  return (
    <Page title={name === null && category !== undefined ? null : title}>
      <header className="products-head">
        <h1>{title}</h1>
      </header>
      <div className="products">
        <Filters category={category} filter={filter} chosen={choices.length} found={found} />
        <div>
          <h2 className="visually-hidden">Products</h2>
          <p className="products-count quiet small" role="status">
            {found === '' ? ' ' : found}
          </p>
          <Chosen choices={choices} edit={edit} />
          <List key={JSON.stringify([filter, sort])} filter={filter} sort={sort} onFound={setFound} />
        </div>
      </div>
    </Page>
  );
}

/** What narrows the list, each with a way to take it back. */
function Chosen({ choices, edit }: { choices: readonly Choice[]; edit: ReturnType<typeof useNarrowing>[1] }) {
  if (choices.length === 0) return null;
  return (
    <ul className="products-chosen" aria-label="Chosen filters">
      {choices.map(({ words, without }) => (
        <li key={words}>
          <button type="button" aria-label={`Remove filter ${words}`} onClick={() => edit(without)}>
            {words} <Icon name="close" size={14} />
          </button>
        </li>
      ))}
      <li>
        <Button look="plain" onClick={() => edit(clear)}>
          Clear all
        </Button>
      </li>
    </ul>
  );
}

/** The currency of prices in the address; null until it is known. */
function useCurrency(): string | null {
  const [{ data }] = usePage(CURRENCY, {});
  return data?.shop.currencyCode ?? null;
}

/** The category's name; null while it is not known or there is no category, undefined where there is none of this slug. */
function useCategoryName(slug: string | undefined): string | null | undefined {
  const [{ data, error }] = usePage(CATEGORY, { slug: slug ?? '' }, { pause: slug === undefined });
  if (slug === undefined || data === undefined || error !== undefined) return null;
  return data.category?.name;
}

function List({
  filter,
  sort,
  onFound,
}: {
  filter: ProductFilter;
  sort: ProductSort | undefined;
  /** Called with the number of products in words; empty while it is not known. */
  onFound: (words: string) => void;
}) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, reload] = usePage(PRODUCTS, { filter, sort: sort ?? null, after });
  const products = data?.products?.nodes ?? [];
  const { hasNextPage = false, endCursor = null } = data?.products?.pageInfo ?? {};
  // Those that were loaded last are the ones that are looked at.
  useLiveStock(
    products.slice(-MOST_FOLLOWED).map(({ id }) => id),
    data?.eventCursor,
  );
  const found = data?.products == null ? '' : countInWords(data.products);
  useEffect(() => onFound(found), [found, onFound]);
  const more = () => {
    if (!fetching && hasNextPage && endCursor !== null) setAfter(endCursor);
  };
  if (error !== undefined && data === undefined) return <Failed onRetry={reload} />;
  const loading = data === undefined ? PAGE_SIZE / 2 : fetching && hasNextPage && after !== null ? 4 : 0;
  return (
    <>
      {data !== undefined && products.length === 0 ? (
        <p className="products-none">Nothing on the shelf is like that. Try fewer filters, or another word.</p>
      ) : (
        <ProductGrid products={products} loading={loading} eager={4} />
      )}
      {hasNextPage && <More onMore={more} busy={fetching} />}
    </>
  );
}

function countInWords({
  totalCount,
  totalCountPrecision,
}: {
  totalCount: number;
  totalCountPrecision: string;
}): string {
  if (totalCountPrecision === 'AT_LEAST') return `${formatCount(totalCount)}+ products`;
  return totalCount === 1 ? '1 product' : `${formatCount(totalCount)} products`;
}

/** Loads more when it comes near, and when it is pressed: not everyone scrolls. */
function More({ onMore, busy }: { onMore: () => void; busy: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(onMore);
  latest.current = onMore;
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) latest.current();
      },
      { rootMargin: '600px' },
    );
    if (place.current !== null && !busy) observer.observe(place.current);
    return () => observer.disconnect();
  }, [busy]);
  return (
    <div ref={place} className="products-more">
      <Button look="second" busy={busy} onClick={onMore}>
        Show more
      </Button>
    </div>
  );
}

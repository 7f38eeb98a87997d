import { useState } from 'react';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { formatCount, formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { ProductFilter, ProductStatus } from '../../generated/graphql.ts';
import { Status } from '../parts/badge.tsx';
import { Page } from '../parts/page.tsx';
import { usePlace } from '../parts/place.ts';
import { Search } from '../parts/search.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onProductChange, useProductChanges } from './product-changes.ts';
import './catalogue.css';

const PRODUCTS = graphql(`
  query StaffCataloguePage($filter: ProductFilter, $after: String) {
    eventCursor(for: "CataloguePage")
    products(filter: $filter, first: 25, after: $after) {
      totalCount
      totalCountPrecision
      nodes {
        ...StaffProduct
        variants {
          id
        }
        priceRange {
          min {
            amount
            currencyCode
          }
          max {
            amount
            currencyCode
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const STATUSES = [
  ['ACTIVE', 'Active'],
  ['DRAFT', 'Drafts'],
  ['ARCHIVED', 'Archived'],
] as const satisfies readonly (readonly [ProductStatus, string])[];

/** The products of the shop, whatever their status. */
export function CataloguePage() {
  const { get, set } = usePlace();
  const search = get('q');
  const status = STATUSES.find(([value]) => value === get('status'))?.[0] ?? 'ACTIVE';
  const filter: ProductFilter = { status, ...(search === '' ? {} : { search }) };
  return (
    <Page
      title="Catalogue"
      lead="Products, their variants and pictures."
      actions={
        <>
          <Link href="/catalogue/categories" className="button button-second">
            Categories
          </Link>
          <Link href="/imports" className="button button-second">
            Import
          </Link>
          <Link href="/catalogue/new" className="button button-primary">
            New product
          </Link>
        </>
      }
    >
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search" placeholder="Title, vendor, tag or SKU" />
        <Select label="Status" value={status} options={STATUSES} onChange={(value) => set({ status: value })} />
      </form>
      <List key={JSON.stringify(filter)} filter={filter} />
    </Page>
  );
}

function List({ filter }: { filter: ProductFilter }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching, stale }, reread] = usePage(PRODUCTS, { filter, after });
  useProductChanges(null, data?.eventCursor);
  useReread(onProductChange, reread);
  const products = data?.products;
  if (products == null) return error === undefined ? <Loading /> : <Fault error={error} retry={reread} />;
  if (products.nodes.length === 0) {
    return <Empty>{filter.search == null ? 'There are no products here yet.' : 'No product matches.'}</Empty>;
  }
  const { hasNextPage, endCursor } = products.pageInfo;
  return (
    <>
      <p className="quiet small number" role="status">
        {products.totalCountPrecision === 'AT_LEAST' && 'More than '}
        {formatCount(products.totalCount)} {products.totalCount === 1 ? 'product' : 'products'}
      </p>
      <TablePlace label="Products" busy={stale}>
        <table className="table">
          <caption className="visually-hidden">Products</caption>
          <thead>
            <tr>
              <th scope="col">Product</th>
              <th scope="col">Status</th>
              <th scope="col">Category</th>
              <th scope="col" className="end">
                Variants
              </th>
              <th scope="col" className="end">
                Price
              </th>
              <th scope="col">Changed</th>
            </tr>
          </thead>
          <tbody>
            {products.nodes.map((product) => (
              <tr key={product.id}>
                <th scope="row" className="long">
                  <Link href={`/catalogue/products/${encodeURIComponent(product.id)}`}>{product.title}</Link>
                  <span className="quiet small block">{product.vendor ?? product.slug}</span>
                </th>
                <td>
                  <Status of={product.status} />
                </td>
                <td className="long">{product.category?.name ?? ''}</td>
                <td className="number end">{formatCount(product.variants.length)}</td>
                <td className="number end">{priceInWords(product.priceRange)}</td>
                <td className="number small">{formatTime(product.updatedAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TablePlace>
      {hasNextPage && (
        <Button look="second" busy={fetching} onClick={() => setAfter(endCursor ?? null)}>
          Show more
        </Button>
      )}
    </>
  );
}

type Money = Parameters<typeof formatMoney>[0];

function priceInWords({ min, max }: { min: Money; max: Money }): string {
  return min.amount === max.amount ? formatMoney(min) : `${formatMoney(min)} to ${formatMoney(max)}`;
}

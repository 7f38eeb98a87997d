import { useState } from 'react';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StockState as State } from '../../generated/graphql.ts';
import { Page } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Search } from '../parts/search.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onStockChange, useStockChanges } from './stock-changes.ts';
import { StockDrawer } from './stock-drawer.tsx';
import { StockRow } from './stock-row.tsx';
import './stock.css';

const STOCK = graphql(`
  query StaffStockPage($filter: ProductVariantFilter, $first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "StockPage")
    productVariants(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
      totalCount
      totalCountPrecision
      nodes {
        ...StaffStockRow
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

const CHOICES = [
  ['', 'All variants'],
  ['short', 'Low or sold out'],
  ['sold-out', 'Sold out'],
  ['low', 'Low'],
  ['sufficient', 'Enough in stock'],
] as const;
const STATES: Record<string, State[]> = {
  short: ['SOLD_OUT', 'LOW'],
  'sold-out': ['SOLD_OUT'],
  low: ['LOW'],
  sufficient: ['SUFFICIENT'],
};
/** Rows move to their new places after this long at most; their numbers change at once. */
const SORTED_AGAIN_MS = 1000;

/** The stock of all variants as it moves; what is sold out or low comes first. */
export function StockPage() {
  const { get, set } = usePlace();
  const [changing, setChanging] = useState<string | null>(null);
  const search = get('q');
  const choice = CHOICES.find(([value]) => value === get('show'))?.[0] ?? '';
  const states = STATES[choice];
  const filter = { ...(search === '' ? {} : { search }), ...(states === undefined ? {} : { states }) };
  const [{ data, error, stale }, reread] = usePage(STOCK, { filter, ...pageArguments(get) });
  useStockChanges(data?.eventCursor);
  useReread(onStockChange, reread, SORTED_AGAIN_MS);
  const variants = data?.productVariants;
  return (
    <Page
      title="Stock"
      lead={
        variants == null ? (
          'Levels as they move.'
        ) : (
          <span className="number">
            {variants.totalCountPrecision === 'AT_LEAST' && 'More than '}
            {formatCount(variants.totalCount)} {variants.totalCount === 1 ? 'variant' : 'variants'}, sold out and low
            first
          </span>
        )
      }
    >
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search" placeholder="Title or SKU" />
        <Select label="Show" value={choice} options={CHOICES} onChange={(value) => set({ show: value })} />
      </form>
      {error !== undefined && variants == null && <Fault error={error} retry={reread} />}
      {variants == null && error === undefined && <Loading />}
      {variants != null && variants.nodes.length === 0 && (
        <Empty>{search === '' && choice === '' ? 'The catalogue has no variants yet.' : 'No variant matches.'}</Empty>
      )}
      {variants != null && variants.nodes.length > 0 && (
        <TablePlace label="Stock" busy={stale}>
          <table className="table">
            <caption className="visually-hidden">Variants, those with the least stock first</caption>
            <thead>
              <tr>
                <th scope="col">Product</th>
                <th scope="col">State</th>
                <th scope="col" className="end">
                  Available
                </th>
                <th scope="col" className="end">
                  Held
                </th>
                <th scope="col" className="end">
                  On hand
                </th>
                <th scope="col" className="end">
                  Waiting
                </th>
                <th scope="col">
                  <span className="visually-hidden">Change</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {variants.nodes.map((variant) => (
                <StockRow key={variant.id} variant={variant} onChange={() => setChanging(variant.sku)} />
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {variants != null && <Pager info={variants.pageInfo} of="stock" />}
      <StockDrawer sku={changing} onClose={() => setChanging(null)} />
    </Page>
  );
}

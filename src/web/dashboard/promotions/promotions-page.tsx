import { Link } from 'wouter';
import { formatCount, formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { PromotionFilter, PromotionStatus, StaffPromotionFragment } from '../../generated/graphql.ts';
import { Status } from '../parts/badge.tsx';
import { Page } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Search } from '../parts/search.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { effectInWords } from './promotion-draft.ts';

const PROMOTIONS = graphql(`
  query StaffPromotionsPage($filter: PromotionFilter, $first: Int, $last: Int, $after: String, $before: String) {
    promotions(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
      nodes {
        ...StaffPromotion
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

const STATUSES = [
  ['', 'All'],
  ['ACTIVE', 'Active'],
  ['SCHEDULED', 'Scheduled'],
  ['DRAFT', 'Without codes'],
  ['USED_UP', 'Used up'],
  ['ENDED', 'Ended'],
] as const satisfies readonly (readonly [PromotionStatus | '', string])[];

/** The promotions of the shop. */
export function PromotionsPage() {
  const { get, set } = usePlace();
  const search = get('q');
  const status = STATUSES.find(([value]) => value === get('status'))?.[0] ?? '';
  const filter: PromotionFilter = {
    ...(search === '' ? {} : { search }),
    ...(status === '' ? {} : { statuses: [status] }),
  };
  const [{ data, error, stale }, reread] = usePage(PROMOTIONS, { filter, ...pageArguments(get) });
  const promotions = data?.promotions;
  return (
    <Page
      title="Promotions"
      lead="Discounts, automatic or by code. Carts change with them at once, orders never."
      actions={
        <Link href="/promotions/new" className="button button-primary">
          New promotion
        </Link>
      }
    >
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search" placeholder="Title, or a whole code" />
        <Select label="Status" value={status} options={STATUSES} onChange={(value) => set({ status: value })} />
      </form>
      {promotions == null && error !== undefined && <Fault error={error} retry={reread} />}
      {promotions == null && error === undefined && <Loading />}
      {promotions?.nodes.length === 0 && (
        <Empty>{search === '' && status === '' ? 'There are no promotions yet.' : 'No promotion matches.'}</Empty>
      )}
      {promotions != null && promotions.nodes.length > 0 && (
        <TablePlace label="Promotions" busy={stale}>
          <table className="table">
            <caption className="visually-hidden">Promotions, the newest first</caption>
            <thead>
              <tr>
                <th scope="col">Promotion</th>
                <th scope="col">Status</th>
                <th scope="col">Discount</th>
                <th scope="col" className="end">
                  Used
                </th>
                <th scope="col" className="end">
                  Given away
                </th>
                <th scope="col">Ends</th>
              </tr>
            </thead>
            <tbody>
              {promotions.nodes.map((promotion) => (
                <Row key={promotion.id} promotion={promotion} />
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {promotions != null && <Pager info={promotions.pageInfo} of="promotions" />}
    </Page>
  );
}

function Row({ promotion }: { promotion: StaffPromotionFragment }) {
  const { id, title, status, trigger, used, usageLimit, spent, budget, endsAt } = promotion;
  return (
    <tr>
      <th scope="row" className="long">
        <Link href={`/promotions/${encodeURIComponent(id)}`}>{title}</Link>
        <span className="quiet small block">{trigger === 'CODE' ? 'By code' : 'Automatic'}</span>
      </th>
      <td>
        <Status of={status} />
      </td>
      <td>{effectInWords(promotion, formatMoney)}</td>
      <td className="number end">
        {formatCount(used)}
        {usageLimit != null && ` of ${formatCount(usageLimit)}`}
      </td>
      <td className="number end">
        {formatMoney(spent)}
        {budget != null && ` of ${formatMoney(budget)}`}
      </td>
      <td className="number small">{endsAt == null ? '' : formatTime(endsAt)}</td>
    </tr>
  );
}

import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { onOrderChange } from '../orders/order-changes.ts';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onStockChange, useStockChanges } from '../stock/stock-changes.ts';
import { ActionList } from './action-list.tsx';

const ACTIVITY = graphql(`
  query StaffActivityPage($first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "StaffActivityPage")
    staffActions(first: $first, last: $last, after: $after, before: $before) {
      nodes {
        ...StaffActionItem
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

/** The record of what staff did, newest first. */
export function ActivityPage() {
  const { get } = usePlace();
  const [{ data, error }, reread] = usePage(ACTIVITY, pageArguments(get));
  useStockChanges(data?.eventCursor);
  useReread(onOrderChange, reread);
  useReread(onStockChange, reread);
  const actions = data?.staffActions;
  return (
    <Page title="Activity" lead="What staff did, newest first.">
      {error !== undefined && actions == null && <Fault error={error} retry={reread} />}
      {actions == null && error === undefined && <Loading />}
      {actions != null && actions.nodes.length === 0 && <Empty>Nobody has changed anything yet.</Empty>}
      {actions != null && actions.nodes.length > 0 && (
        <Panel title="Record">
          <ActionList actions={actions.nodes} withSubject />
        </Panel>
      )}
      {actions != null && <Pager info={actions.pageInfo} of="the record" />}
    </Page>
  );
}

import { useState } from 'react';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { formatCount, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StaffVariantPageQuery } from '../../generated/graphql.ts';
import { inWords } from '../parts/badge.tsx';
import { LazyChart } from '../parts/lazy-chart.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onStockChange, useStockChanges } from './stock-changes.ts';
import { StockDrawer } from './stock-drawer.tsx';
import { Level, StockState } from './stock-row.tsx';
import './stock.css';

const VARIANT = graphql(`
  query StaffVariantPage($sku: String!, $first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "VariantPage")
    productVariant(sku: $sku) {
      ...StaffStockRow
      stockMovements(first: $first, last: $last, after: $after, before: $before) {
        nodes {
          id
          reason
          onHandDelta
          heldDelta
          onHandAfter
          heldAfter
          note
          occurredAt
          actor {
            id
            name
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  }
`);

type Movement = NonNullable<NonNullable<StaffVariantPageQuery['productVariant']>['stockMovements']>['nodes'][number];

const PAGE_SIZE = 100;

const signed = (delta: number) => (delta > 0 ? `+${formatCount(delta)}` : delta === 0 ? '' : formatCount(delta));

/** A variant's levels and its ledger: as a chart over time, and entry by entry. */
export function VariantPage({ sku }: { sku: string }) {
  const { get } = usePlace();
  const [isChanging, setChanging] = useState(false);
  const [{ data, error, fetching }, reread] = usePage(VARIANT, { sku, ...pageArguments(get, PAGE_SIZE) });
  useStockChanges(data?.eventCursor);
  useReread(onStockChange, reread);
  const variant = data?.productVariant;
  const back = (
    <Link href="/stock" className="button button-second">
      All stock
    </Link>
  );
  if (variant == null) {
    return (
      <Page title={sku} actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading />}
        {error === undefined && !fetching && <Empty>There is no variant with this SKU.</Empty>}
      </Page>
    );
  }
  const movements = variant.stockMovements?.nodes ?? [];
  return (
    <Page
      title={variant.title === 'Default' ? variant.product.title : `${variant.product.title}, ${variant.title}`}
      lead={
        <span className="row">
          <StockState available={variant.available} threshold={variant.lowStockThreshold} />
          <span>{sku}</span>
        </span>
      }
      actions={
        <>
          {back}
          <Button onClick={() => setChanging(true)}>Change stock</Button>
        </>
      }
    >
      <Panel title="Levels">
        <dl className="levels">
          <Fact name="Available" value={variant.available} />
          <Fact name="Held by carts" value={variant.held} />
          <Fact name="On hand" value={variant.onHand} />
          <Fact name="Waiting" value={variant.stockAlertCount} />
          <Fact name="Low from" value={variant.lowStockThreshold} />
        </dl>
      </Panel>
      <Panel
        title="Over time"
        actions={
          <p className="chart-legend" aria-hidden="true">
            <span>
              <i /> On hand
            </span>
            <span>
              <i className="legend-second" /> Available
            </span>
          </p>
        }
      >
        <LedgerChart movements={movements} />
      </Panel>
      <Panel title="Ledger">
        {movements.length === 0 ? <Empty>Nothing has moved yet.</Empty> : <Ledger movements={movements} />}
        {variant.stockMovements != null && <Pager info={variant.stockMovements.pageInfo} of="the ledger" />}
      </Panel>
      <StockDrawer sku={isChanging ? sku : null} onClose={() => setChanging(false)} />
    </Page>
  );
}

function Fact({ name, value }: { name: string; value: number | null | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">
        <Level value={value} />
      </dd>
    </div>
  );
}

function LedgerChart({ movements }: { movements: readonly Movement[] }) {
  const oldestFirst = movements.toReversed();
  const last = oldestFirst.at(-1);
  if (last === undefined) return null;
  return (
    <LazyChart
      kind="steps"
      label={`Stock over the latest ${movements.length} movements; now ${last.onHandAfter} on hand and ${last.onHandAfter - last.heldAfter} available`}
      times={oldestFirst.map(({ occurredAt }) => Date.parse(occurredAt) / 1000)}
      series={[
        { label: 'On hand', colour: '--honey', values: oldestFirst.map(({ onHandAfter }) => onHandAfter) },
        {
          label: 'Available',
          colour: '--moss',
          values: oldestFirst.map(({ onHandAfter, heldAfter }) => onHandAfter - heldAfter),
        },
      ]}
    />
  );
}

function Ledger({ movements }: { movements: readonly Movement[] }) {
  return (
    <TablePlace label="Ledger">
      <table className="table">
        <caption className="visually-hidden">Movements of stock, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Reason</th>
            <th scope="col" className="end">
              On hand
            </th>
            <th scope="col" className="end">
              Held
            </th>
            <th scope="col" className="end">
              Available after
            </th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {movements.map((movement) => (
            <tr key={movement.id}>
              <th scope="row" className="number small">
                {formatTime(movement.occurredAt)}
              </th>
              <td>{inWords(movement.reason)}</td>
              <td className="number end">{signed(movement.onHandDelta)}</td>
              <td className="number end">{signed(movement.heldDelta)}</td>
              <td className="number end">{formatCount(movement.onHandAfter - movement.heldAfter)}</td>
              <td className="long">
                {movement.actor?.name ?? 'The shop'}
                {movement.note != null && <span className="quiet small block">{movement.note}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}

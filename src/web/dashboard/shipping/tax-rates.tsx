import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Drawer } from '../../shared/components/drawer.tsx';
import { formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffTaxCategoryFragment, StaffTaxRateFragment } from '../../generated/graphql.ts';
import { Badge } from '../parts/badge.tsx';
import { Panel } from '../parts/page.tsx';
import { RowSteps } from '../parts/row-steps.tsx';
import { Empty } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useTick } from '../parts/use-tick.ts';
import { NewRateForm, RateForm } from './rate-form.tsx';

const DELETE = graphql(`
  mutation StaffTaxRateDelete($id: ID!) {
    taxRateDelete(input: { id: $id }) {
      deletedId
      errors {
        message
      }
    }
  }
`);

interface Props {
  zoneId: string;
  rates: readonly StaffTaxRateFragment[];
  categories: readonly StaffTaxCategoryFragment[];
  onDone: () => void;
}

/**
 * The IDs of the rates that apply now: of each category the last one that has begun.
 * @param rates the earliest first
 * @param now in milliseconds since 1970
 */
function ratesInForce(rates: readonly StaffTaxRateFragment[], now: number): ReadonlySet<string> {
  const byCategory = new Map<string | undefined, string>();
  for (const { id, category, validFrom } of rates) {
    if (Date.parse(validFrom) <= now) byCategory.set(category?.id, id);
  }
  return new Set(byCategory.values());
}

/** The tax rates of a zone: past, present and future ones. */
export function TaxRates({ zoneId, rates, categories, onDone }: Props) {
  const [open, setOpen] = useState<string | null>(null);
  const rate = rates.find(({ id }) => id === open) ?? null;
  const close = () => setOpen(null);
  const done = () => {
    close();
    onDone();
  };
  return (
    <Panel title="Tax rates">
      {rates.length === 0 ? (
        <Empty>There are no tax rates: goods are free of tax in this zone.</Empty>
      ) : (
        <RateTable rates={rates} onEdit={setOpen} onDone={onDone} />
      )}
      {categories.length === 0 ? (
        <p className="quiet small">To add a rate, create a tax category first.</p>
      ) : (
        <div>
          <Button look="second" onClick={() => setOpen('new')}>
            Add a rate
          </Button>
        </div>
      )}
      <Drawer
        open={open === 'new' || rate !== null}
        onClose={close}
        title={rate === null ? 'New tax rate' : 'Edit tax rate'}
      >
        {open === 'new' && <NewRateForm zoneId={zoneId} categories={categories} onDone={done} />}
        {rate !== null && <RateForm key={open} rate={rate} onDone={done} />}
      </Drawer>
    </Panel>
  );
}

function RateTable({ rates, onEdit, onDone }: Pick<Props, 'rates' | 'onDone'> & { onEdit: (id: string) => void }) {
  const [, remove] = useMutation(DELETE);
  // A rate comes into force while the page is open. One that was added just now may be ahead of an inexact clock, too.
  const now = useTick(1000);
  const inForce = ratesInForce(rates, now);
  const nameOf = ({ category, title, percent }: StaffTaxRateFragment) => `${title} ${percent} % (${category?.name})`;
  return (
    <TablePlace label="Tax rates">
      <table className="table">
        <caption className="visually-hidden">Tax rates by category, the earliest first</caption>
        <thead>
          <tr>
            <th scope="col">Category</th>
            <th scope="col">Title</th>
            <th scope="col" className="end">
              Percent
            </th>
            <th scope="col">Applies from</th>
            <th scope="col">
              <span className="visually-hidden">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rates.map((rate) => (
            <tr key={rate.id}>
              <th scope="row">{rate.category?.name}</th>
              <td>{rate.title}</td>
              <td className="number end">{rate.percent} %</td>
              <td className="number">
                {formatTime(rate.validFrom)}{' '}
                {inForce.has(rate.id) ? (
                  <Badge tone="good">In force</Badge>
                ) : (
                  <Badge>{Date.parse(rate.validFrom) > now ? 'To come' : 'Past'}</Badge>
                )}
              </td>
              <td>
                <RowSteps
                  name={nameOf(rate)}
                  confirm="Delete this rate"
                  warning="The rate before it applies again, if there is one. Orders keep the tax that they paid."
                  onEdit={() => onEdit(rate.id)}
                  remove={async () => {
                    const result = await remove({ id: rate.id });
                    if (result.data?.taxRateDelete?.deletedId != null) onDone();
                    return result;
                  }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}

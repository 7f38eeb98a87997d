import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { serverNow } from '../../shared/clock.ts';
import { Drawer } from '../../shared/components/drawer.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffTaxCategoryFragment, StaffTaxRateFragment } from '../../generated/graphql.ts';
import { Ask } from '../catalogue/archive.tsx';
import { Badge } from '../parts/badge.tsx';
import { decimal, instant, isDecimal, toLocal } from '../parts/entered.ts';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Panel } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { Empty } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';

export const TAX_RATE = graphql(`
  fragment StaffTaxRate on TaxRate {
    id
    title
    percent
    validFrom
    category {
      id
      name
    }
  }
`);

const CREATE = graphql(`
  mutation StaffTaxRateCreate($input: TaxRateCreateInput!) {
    taxRateCreate(input: $input) {
      taxRate {
        ...StaffTaxRate
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffTaxRateUpdate($input: TaxRateUpdateInput!) {
    taxRateUpdate(input: $input) {
      taxRate {
        ...StaffTaxRate
      }
      errors {
        message
        path
      }
    }
  }
`);

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

/** The rates that apply at present: of each category the last one that has begun. They come the earliest first. */
function ratesInForce(rates: readonly StaffTaxRateFragment[]): ReadonlySet<string> {
  const byCategory = new Map<string | undefined, string>();
  for (const { id, category, validFrom } of rates) {
    if (Date.parse(validFrom) <= serverNow()) byCategory.set(category?.id, id);
  }
  return new Set(byCategory.values());
}

/** The tax rates of a zone: past, present and future ones. */
export function TaxRates({ zoneId, rates, categories, onDone }: Props) {
  const [open, setOpen] = useState<string | null>(null);
  const rate = rates.find(({ id }) => id === open) ?? null;
  const close = () => setOpen(null);
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
        <RateForm
          key={open}
          zoneId={zoneId}
          rate={rate}
          categories={categories}
          onDone={() => {
            close();
            onDone();
          }}
        />
      </Drawer>
    </Panel>
  );
}

function RateTable({ rates, onEdit, onDone }: Pick<Props, 'rates' | 'onDone'> & { onEdit: (id: string) => void }) {
  const [, remove] = useMutation(DELETE);
  const inForce = ratesInForce(rates);
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
                  <Badge>{Date.parse(rate.validFrom) > serverNow() ? 'To come' : 'Past'}</Badge>
                )}
              </td>
              <td>
                <div className="row shipping-steps">
                  <Button
                    look="second"
                    className="button-small"
                    aria-label={`Edit ${nameOf(rate)}`}
                    onClick={() => onEdit(rate.id)}
                  >
                    Edit
                  </Button>
                  <Ask
                    what="Delete"
                    label={`Delete ${nameOf(rate)}`}
                    confirm="Delete this rate"
                    warning="The rate before it applies again, if there is one. Orders keep the tax that they paid."
                    step={async () => {
                      const result = await remove({ id: rate.id });
                      if (result.data?.taxRateDelete?.deletedId != null) onDone();
                      return result;
                    }}
                  />
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}

const isRateField = (field: string) => field === 'title' || field === 'percent' || field === 'validFrom';

/** Adds a rate to a zone, or edits one. */
function RateForm({
  zoneId,
  rate,
  categories,
  onDone,
}: Pick<Props, 'zoneId' | 'categories' | 'onDone'> & { rate: StaffTaxRateFragment | null }) {
  const [creating, create] = useMutation(CREATE);
  const [updating, update] = useMutation(UPDATE);
  const busy = creating.fetching || updating.fetching;
  const [taxCategoryId, setCategory] = useState(categories[0]?.id ?? '');
  const [title, setTitle] = useState(rate?.title ?? '');
  const [percent, setPercent] = useState(rate?.percent ?? '');
  const start = toLocal(rate?.validFrom);
  const [validFrom, setValidFrom] = useState(start);
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    if (!isDecimal(percent)) return setFaults({ percent: 'Enter a number, such as 7.25.' });
    // The field has minutes alone: a time that was not edited is left as it is.
    const from = validFrom === start || validFrom === '' ? {} : { validFrom: instant(validFrom) };
    const fields = { title, percent: decimal(percent), ...from };
    const result =
      rate === null
        ? await create({ input: { zoneId, taxCategoryId, ...fields } })
        : await update({ input: { id: rate.id, ...fields } });
    const found = faultsOf(result);
    setFaults(found);
    if (Object.keys(found).length === 0) onDone();
  }
  const others = faultsBeside(faults, isRateField);
  const words = rate === null ? 'Add rate' : 'Save rate';
  return (
    <form className="shipping-form" onSubmit={(event) => void submit(event)} noValidate aria-label={words}>
      {rate === null && (
        <Select
          label="Tax category"
          value={taxCategoryId}
          options={categories.map(({ id, name }) => [id, name] as const)}
          onChange={setCategory}
        />
      )}
      <Field
        label="Title"
        required
        maxLength={100}
        hint="Customers see it, with the rate beside it. Such as VAT."
        fault={faults['title']}
        value={title}
        onChange={({ target }) => setTitle(target.value)}
      />
      <Field
        label="Percent"
        required
        inputMode="decimal"
        fault={faults['percent']}
        value={percent}
        onChange={({ target }) => setPercent(target.value)}
      />
      <Field
        label="Applies from"
        type="datetime-local"
        required={rate !== null}
        hint={rate === null ? 'Empty: from now on.' : undefined}
        fault={faults['validFrom']}
        value={validFrom}
        onChange={({ target }) => setValidFrom(target.value)}
      />
      {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
      <div>
        <Button type="submit" busy={busy}>
          {words}
        </Button>
      </div>
    </form>
  );
}

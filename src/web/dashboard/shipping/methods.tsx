import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Drawer } from '../../shared/components/drawer.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffMethodFragment, StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { Ask } from '../catalogue/archive.tsx';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Panel } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { draftOf, EMPTY_METHOD, faultsOfDraft, methodOf, ratesInWords } from './method-draft.ts';
import { isMethodField, MethodFields } from './method-fields.tsx';

const CREATE = graphql(`
  mutation StaffMethodCreate($input: ShippingMethodCreateInput!) {
    shippingMethodCreate(input: $input) {
      shippingMethod {
        ...StaffMethod
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffMethodUpdate($input: ShippingMethodUpdateInput!) {
    shippingMethodUpdate(input: $input) {
      shippingMethod {
        ...StaffMethod
      }
      errors {
        message
        path
      }
    }
  }
`);

const DELETE = graphql(`
  mutation StaffMethodDelete($id: ID!) {
    shippingMethodDelete(input: { id: $id }) {
      deletedId
      errors {
        message
      }
    }
  }
`);

interface Props {
  zoneId: string;
  methods: readonly StaffMethodFragment[];
  categories: readonly StaffTaxCategoryFragment[];
  onDone: () => void;
}

/** The shipping methods of a zone. */
export function Methods({ zoneId, methods, categories, onDone }: Props) {
  const [open, setOpen] = useState<string | null>(null);
  const method = methods.find(({ id }) => id === open) ?? null;
  const close = () => setOpen(null);
  return (
    <Panel title="Shipping methods">
      {methods.length === 0 ? (
        <Empty>There are no shipping methods yet: the shop does not ship to this zone.</Empty>
      ) : (
        <MethodTable methods={methods} onEdit={setOpen} onDone={onDone} />
      )}
      <div>
        <Button look="second" onClick={() => setOpen('new')}>
          Add a method
        </Button>
      </div>
      <Drawer
        open={open === 'new' || method !== null}
        onClose={close}
        title={method === null ? 'New method' : 'Edit method'}
      >
        <MethodForm
          key={open}
          zoneId={zoneId}
          method={method}
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

function MethodTable({
  methods,
  onEdit,
  onDone,
}: Pick<Props, 'methods' | 'onDone'> & { onEdit: (id: string) => void }) {
  const [, remove] = useMutation(DELETE);
  return (
    <TablePlace label="Shipping methods">
      <table className="table">
        <caption className="visually-hidden">Shipping methods, in the order in which they are offered</caption>
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col">Prices</th>
            <th scope="col" className="end">
              Free from
            </th>
            <th scope="col">Tax</th>
            <th scope="col">
              <span className="visually-hidden">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {methods.map((method) => (
            <tr key={method.id}>
              <th scope="row" className="long">
                {method.title}
                {method.deliveryEstimate != null && (
                  <span className="quiet small block">{method.deliveryEstimate}</span>
                )}
              </th>
              <td className="number">
                {ratesInWords(method, formatMoney).map((words) => (
                  <span key={words} className="block">
                    {words}
                  </span>
                ))}
              </td>
              <td className="number end">{method.freeFrom == null ? '–' : formatMoney(method.freeFrom)}</td>
              <td>{method.taxCategory?.name ?? 'As the goods'}</td>
              <td>
                <div className="row shipping-steps">
                  <Button
                    look="second"
                    className="button-small"
                    aria-label={`Edit ${method.title}`}
                    onClick={() => onEdit(method.id)}
                  >
                    Edit
                  </Button>
                  <Ask
                    what="Delete"
                    label={`Delete ${method.title}`}
                    confirm="Delete this method"
                    warning="Carts that chose it must choose another one. Orders keep what they paid."
                    step={async () => {
                      const result = await remove({ id: method.id });
                      if (result.data?.shippingMethodDelete?.deletedId != null) onDone();
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

/** Adds a method to a zone, or edits one. */
function MethodForm({
  zoneId,
  method,
  categories,
  onDone,
}: Pick<Props, 'zoneId' | 'categories' | 'onDone'> & { method: StaffMethodFragment | null }) {
  const [creating, create] = useMutation(CREATE);
  const [updating, update] = useMutation(UPDATE);
  const busy = creating.fetching || updating.fetching;
  const [draft, setDraft] = useState(() => (method === null ? EMPTY_METHOD : draftOf(method)));
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    const own = faultsOfDraft(draft);
    setFaults(own);
    if (Object.keys(own).length > 0) return;
    const fields = methodOf(draft);
    const result =
      method === null
        ? await create({ input: { zoneId, ...fields } })
        : await update({ input: { id: method.id, ...fields } });
    const found = faultsOf(result);
    setFaults(found);
    if (Object.keys(found).length === 0) onDone();
  }
  const others = faultsBeside(faults, isMethodField);
  const words = method === null ? 'Add method' : 'Save method';
  return (
    <form className="shipping-form" onSubmit={(event) => void submit(event)} noValidate aria-label={words}>
      <MethodFields
        draft={draft}
        categories={categories}
        faults={faults}
        onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
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

import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Drawer } from '../../shared/components/drawer.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffMethodFragment, StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { Panel } from '../parts/page.tsx';
import { RowSteps } from '../parts/row-steps.tsx';
import { Empty } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { ratesInWords } from './method-draft.ts';
import { MethodForm, NewMethodForm } from './method-form.tsx';

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
  const done = () => {
    close();
    onDone();
  };
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
        {open === 'new' && <NewMethodForm zoneId={zoneId} categories={categories} onDone={done} />}
        {method !== null && <MethodForm key={open} method={method} categories={categories} onDone={done} />}
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
                <RowSteps
                  name={method.title}
                  confirm="Delete this method"
                  warning="Carts that chose it must choose another one. Orders keep what they paid."
                  onEdit={() => onEdit(method.id)}
                  remove={async () => {
                    const result = await remove({ id: method.id });
                    if (result.data?.shippingMethodDelete?.deletedId != null) onDone();
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

import type { StaffOrderPaymentsFragment } from '../../generated/graphql.ts';
import { formatMoney, formatTime } from '../../shared/format.ts';
import { inWords } from '../parts/badge.tsx';
import { Panel } from '../parts/page.tsx';
import { TablePlace } from '../parts/table-place.tsx';

type Entry = NonNullable<StaffOrderPaymentsFragment['moneyEntries']>[number];

/** The ledger of an order: what each step of it booked. */
export function OrderLedger({ entries, currencyCode }: { entries: readonly Entry[]; currencyCode: string }) {
  if (entries.length === 0) return null;
  return (
    <Panel title="Ledger">
      <TablePlace label="Ledger of the order">
        <table className="table">
          <caption className="visually-hidden">Ledger of the order. Debits are positive, credits negative.</caption>
          <thead>
            <tr>
              <th scope="col">Booked for</th>
              <th scope="col">Account</th>
              <th scope="col" className="end">
                Amount
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ postingId, reason, account, amount, occurredAt }) => (
              <tr key={`${postingId}${account}`}>
                <th scope="row">
                  {inWords(reason)}
                  <span className="quiet small block number">{formatTime(occurredAt)}</span>
                </th>
                <td>{inWords(account)}</td>
                <td className="number end">{formatMoney({ amount, currencyCode })}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TablePlace>
    </Panel>
  );
}

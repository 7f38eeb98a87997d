import { useState } from 'react';
import { useClient } from 'urql';
import { Link } from 'wouter';
import type { StaffMoneyAuditQuery } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { Panel } from '../parts/page.tsx';

const AUDIT = graphql(`
  query StaffMoneyAudit {
    moneyAudit {
      checkedOrders
      checkedAt
      discrepancies {
        rule
        expected
        actual
        order {
          id
          number
        }
      }
    }
  }
`);

/** Compares the ledger of money with orders and payments when staff ask for it. */
export function MoneyAudit() {
  const client = useClient();
  const [state, setState] = useState<'idle' | 'asking' | 'failed'>('idle');
  const [found, setFound] = useState<StaffMoneyAuditQuery['moneyAudit']>(null);
  async function audit() {
    setState('asking');
    const { data } = await client.query(AUDIT, {}, { requestPolicy: 'network-only' }).toPromise();
    setFound(data?.moneyAudit ?? null);
    setState(data?.moneyAudit == null ? 'failed' : 'idle');
  }
  return (
    <Panel title="Books of money">
      <div className="stack">
        <p>Compares the ledger with orders, payments, refunds and disputes.</p>
        {state === 'failed' && <Notice tone="bad">The shop did not answer. Try again in a moment.</Notice>}
        {found != null && found.discrepancies.length === 0 && (
          <Notice tone="good">{formatCount(found.checkedOrders)} orders checked: everything agrees.</Notice>
        )}
        {found != null && found.discrepancies.length > 0 && (
          <Notice tone="bad">
            <p>
              {formatCount(found.checkedOrders)} orders checked, {formatCount(found.discrepancies.length)}{' '}
              discrepancies.
            </p>
            <ul>
              {found.discrepancies.map(({ rule, expected, actual, order }) => (
                <li key={`${order?.id ?? ''}${rule}`}>
                  {order == null ? (
                    'A payment without an order'
                  ) : (
                    <Link href={`/orders/${order.number}`}>{order.number}</Link>
                  )}
                  : {rule} Expected {expected}, found {actual}.
                </li>
              ))}
            </ul>
          </Notice>
        )}
        <div>
          <Button look="second" busy={state === 'asking'} onClick={() => void audit()}>
            Check the books
          </Button>
        </div>
      </div>
    </Panel>
  );
}

import { useState } from 'react';
import { useMutation } from 'urql';
import type { StaffOrderPaymentsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';
import { inWords, Status } from '../parts/badge.tsx';
import { Panel } from '../parts/page.tsx';
import { refusalOf } from '../parts/refusal.ts';
import './payment-fragments.ts';
import { RefundForm } from './refund-form.tsx';

const CHANGED = graphql(`
  subscription StaffPaymentChanged($paymentId: ID, $after: EventCursor) {
    paymentChanged(paymentId: $paymentId, after: $after) {
      cursor
      payment {
        ...StaffPayment
        order {
          ...StaffOrderPayments
        }
      }
    }
  }
`);

const CAPTURE = graphql(`
  mutation StaffPaymentCapture($input: PaymentCaptureInput!) {
    paymentCapture(input: $input) {
      payment {
        ...StaffPayment
        order {
          ...StaffOrderPayments
        }
      }
      errors {
        message
      }
    }
  }
`);

/** The payments and refunds of an order as they happen, and what staff may do about them. */
export function OrderPayments({
  order,
  after,
}: {
  order: StaffOrderPaymentsFragment;
  after: string | null | undefined;
}) {
  const [isRefunding, setRefunding] = useState(false);
  const { payments, refunds } = order;
  const last = payments.at(-1);
  if (payments.length === 0) return null;
  const left = payments.some(({ captured, refunded }) => Number(captured.amount) > Number(refunded.amount));
  return (
    <Panel title="Payments">
      {last !== undefined && <Follow paymentId={last.id} after={after} />}
      <div className="stack">
        {payments.map((payment) => (
          <Payment key={payment.id} payment={payment} />
        ))}
        {refunds.length > 0 && (
          <ul className="stack" aria-label="Refunds">
            {refunds.map(({ id, state, amount, reason, failure, createdAt }) => (
              <li key={id}>
                <span className="row">
                  <strong className="number">{formatMoney(amount)}</strong> refund <Status of={state} />
                  <span className="quiet small number">{formatTime(createdAt)}</span>
                </span>
                {reason != null && <p className="quiet small">{reason}</p>}
                {failure != null && <p className="small">{failure}</p>}
              </li>
            ))}
          </ul>
        )}
        {isRefunding && <RefundForm order={order} onDone={() => setRefunding(false)} />}
        {!isRefunding && left && (
          <div>
            <Button look="second" onClick={() => setRefunding(true)}>
              Refund…
            </Button>
          </div>
        )}
      </div>
    </Panel>
  );
}

function Follow({ paymentId, after }: { paymentId: string; after: string | null | undefined }) {
  useLive(CHANGED, { variables: { paymentId }, after });
  return null;
}

function Payment({ payment }: { payment: StaffOrderPaymentsFragment['payments'][number] }) {
  const [{ fetching }, capture] = useMutation(CAPTURE);
  const [key] = useState(() => crypto.randomUUID());
  const [fault, setFault] = useState<string | null>(null);
  const { id, provider, state, reference, problem, failure, lapsesAt, authorized, captured, operations, disputes } =
    payment;
  const open = (operations ?? []).filter((operation) => operation.state !== 'DONE');
  return (
    <div className="stack">
      <span className="row">
        <strong>{inWords(provider)}</strong> <Status of={state} />
      </span>
      <dl className="facts">
        <dt>Authorized</dt>
        <dd className="number">{formatMoney(authorized)}</dd>
        <dt>Captured</dt>
        <dd className="number">{formatMoney(captured)}</dd>
        {reference != null && (
          <>
            <dt>Reference</dt>
            <dd className="long">{reference}</dd>
          </>
        )}
        {lapsesAt != null && state === 'AUTHORIZED' && (
          <>
            <dt>Lapses</dt>
            <dd className="number">{formatTime(lapsesAt)}</dd>
          </>
        )}
      </dl>
      {problem != null && <Notice tone="bad">{problem}</Notice>}
      {failure != null && <Notice>{failure}</Notice>}
      {disputes?.map((dispute) => (
        <Notice key={dispute.state + dispute.amount.amount} tone={dispute.state === 'WON' ? 'good' : 'bad'}>
          Dispute over {formatMoney(dispute.amount)}: {inWords(dispute.state)}
          {dispute.reason != null && ` (${dispute.reason})`}
        </Notice>
      ))}
      {open.length > 0 && (
        <ul className="small">
          {open.map((operation, index) => (
            // Operations are only ever added at the end.
            <li key={index}>
              {inWords(operation.kind)} <Status of={operation.state} /> {operation.reason}
            </li>
          ))}
        </ul>
      )}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      {state === 'AUTHORIZED' && (
        <div>
          <Button
            busy={fetching}
            onClick={() =>
              void capture({ input: { id, idempotencyKey: key } }).then((result) => setFault(refusalOf(result)))
            }
          >
            Capture {formatMoney(authorized)}
          </Button>
        </div>
      )}
    </div>
  );
}

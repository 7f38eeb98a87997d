import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { inWords } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Fault, Loading } from '../parts/states.tsx';
import { MoneyAudit } from './money-audit.tsx';
import { SystemHealth } from './health.tsx';
import { RetryList } from './retry-list.tsx';
import '../activity/action-list.css';
import '../stock/stock.css';
import './system.css';

const SYSTEM = graphql(`
  query StaffSystemPage {
    mails(filter: { status: FAILED }, first: 20) {
      nodes {
        id
        template
        recipient
        error
        createdAt
      }
    }
    webhookDeliveries(filter: { status: FAILED }, first: 20) {
      nodes {
        id
        topic
        entryId
        reason
        receivedAt
      }
    }
    parkedEvents(first: 20) {
      nodes {
        id
        consumer
        eventType
        error
        parkedAt
      }
    }
  }
`);

const MAIL_RETRY = graphql(`
  mutation StaffMailRetry($id: ID!) {
    mailRetry(input: { id: $id }) {
      errors {
        message
      }
    }
  }
`);

const DELIVERY_RETRY = graphql(`
  mutation StaffDeliveryRetry($id: ID!) {
    webhookDeliveryRetry(input: { id: $id }) {
      errors {
        message
      }
    }
  }
`);

const EVENT_RETRY = graphql(`
  mutation StaffEventRetry($id: ID!) {
    parkedEventRetry(input: { id: $id }) {
      errors {
        message
      }
    }
  }
`);

/** What could not be done in the background, and what to do about it. */
export function SystemPage() {
  const [{ data, error, fetching }, reread] = usePage(SYSTEM, {});
  const [, retryMail] = useMutation(MAIL_RETRY);
  const [, retryDelivery] = useMutation(DELIVERY_RETRY);
  const [, retryEvent] = useMutation(EVENT_RETRY);
  const then = async <Result,>(retrying: Promise<Result>): Promise<Result> => {
    const result = await retrying;
    reread();
    return result;
  };
  return (
    <Page
      title="System"
      lead="Work in the background: how it stands, and what failed after all its attempts."
      actions={
        <Button look="second" busy={fetching} onClick={reread}>
          Read again
        </Button>
      }
    >
      <SystemHealth />
      <MoneyAudit />
      {error !== undefined && data === undefined && <Fault error={error} retry={reread} />}
      {data === undefined && error === undefined && <Loading rows={4} />}
      {data !== undefined && (
        <div className="system">
          <Panel title="Mails that were not sent">
            <RetryList
              none="No mail has failed."
              retry={(id) => then(retryMail({ id }))}
              items={(data.mails?.nodes ?? []).map(({ id, template, recipient, error: why, createdAt }) => ({
                id,
                name: `${inWords(template.replaceAll('-', '_'))} to ${recipient}`,
                at: createdAt,
                detail: why,
              }))}
            />
          </Panel>
          <Panel title="Webhook deliveries that were not applied">
            <RetryList
              none="No delivery has failed."
              retry={(id) => then(retryDelivery({ id }))}
              items={(data.webhookDeliveries?.nodes ?? []).map(({ id, topic, entryId, reason, receivedAt }) => ({
                id,
                name: entryId === '' ? topic : `${topic} of ${entryId}`,
                at: receivedAt,
                detail: reason,
              }))}
            />
          </Panel>
          <Panel title="Parked events">
            <RetryList
              none="No event is parked."
              retry={(id) => then(retryEvent({ id }))}
              items={(data.parkedEvents?.nodes ?? []).map(({ id, consumer, eventType, error: why, parkedAt }) => ({
                id,
                name: `${eventType} for ${consumer}`,
                at: parkedAt,
                detail: why,
              }))}
            />
          </Panel>
        </div>
      )}
    </Page>
  );
}

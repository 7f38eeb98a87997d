import { formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffActionItemFragment } from '../../generated/graphql.ts';
import { inWords } from '../parts/badge.tsx';
import { ActionSubject } from './action-subject.tsx';
import './action-list.css';

export const ACTION_ITEM = graphql(`
  fragment StaffActionItem on StaffAction {
    id
    kind
    note
    occurredAt
    changes {
      field
      before
      after
    }
    actor {
      id
      name
    }
    subject {
      __typename
      id
      ... on Order {
        number
      }
      ... on Product {
        title
      }
      ... on ProductVariant {
        sku
      }
      ... on Category {
        name
      }
      ... on Promotion {
        id
        title
      }
      ... on ShippingZone {
        id
        zoneName: name
      }
      ... on ShippingMethod {
        title
        zone {
          id
        }
      }
      ... on TaxCategory {
        taxName: name
      }
      ... on TaxRate {
        title
        percent
      }
      ... on User {
        email
      }
    }
  }
`);

/** What staff did, newest first. */
export function ActionList({
  actions,
  withSubject = false,
}: {
  actions: readonly StaffActionItemFragment[];
  withSubject?: boolean;
}) {
  return (
    <ol className="actions">
      {actions.map(({ id, kind, note, occurredAt, changes, actor, subject }) => (
        <li key={id}>
          <p>
            <strong>{inWords(kind)}</strong>
            {withSubject && <ActionSubject subject={subject ?? null} />}
          </p>
          <p className="quiet small">
            {actor?.name ?? 'The shop itself'}, <time dateTime={occurredAt}>{formatTime(occurredAt)}</time>
          </p>
          {changes.length > 0 && (
            <ul className="small">
              {changes.map(({ field, before, after }) => (
                <li key={field}>
                  {field}: <del>{before ?? 'none'}</del> <span aria-label="became">→</span> <ins>{after ?? 'none'}</ins>
                </li>
              ))}
            </ul>
          )}
          {note != null && <p className="action-note">{note}</p>}
        </li>
      ))}
    </ol>
  );
}

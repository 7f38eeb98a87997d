import { useMutation } from 'urql';
import { graphql } from '../../shared/graphql.ts';
import type { StaffZoneFragment } from '../../generated/graphql.ts';
import { EditForm, NewForm } from '../parts/entry-form.tsx';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';
import { draftOf, EMPTY_ZONE, zoneFieldInWords, zoneOf } from './zone-draft.ts';
import { isZoneField, ZoneFields } from './zone-fields.tsx';

const CREATE = graphql(`
  mutation StaffZoneCreate($input: ShippingZoneCreateInput!) {
    shippingZoneCreate(input: $input) {
      shippingZone {
        ...StaffZone
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffZoneUpdate($input: ShippingZoneUpdateInput!) {
    shippingZoneUpdate(input: $input) {
      shippingZone {
        ...StaffZone
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffZone
          }
        }
      }
    }
  }
`);

/** Creates a zone. */
export function NewZoneForm({ onDone }: { onDone: (id: string) => void }) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: EMPTY_ZONE,
    create: (draft) => create({ input: zoneOf(draft) }),
    onDone({ data }) {
      const id = data?.shippingZoneCreate?.shippingZone?.id;
      if (id !== undefined) onDone(id);
    },
  });
  return (
    <NewForm entry={entry} label="New zone" submit="Create zone" isShown={isZoneField}>
      <ZoneFields draft={entry.draft} faults={entry.faults} onChange={entry.set} />
    </NewForm>
  );
}

/** Edits a zone. */
export function ZoneForm({ zone }: { zone: StaffZoneFragment }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: zone,
    draftOf,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: zone.id, expectedUpdatedAt, ...changesOf(zoneOf(draft), zoneOf(current)) } }),
    savedOf: (data) => data.shippingZoneUpdate?.shippingZone,
  });
  return (
    <EditForm
      entry={entry}
      label="Zone"
      submit="Save zone"
      isShown={isZoneField}
      what="zone"
      inWords={(field) => zoneFieldInWords(field, draftOf(zone))}
    >
      <ZoneFields draft={entry.draft} faults={entry.faults} onChange={entry.set} />
    </EditForm>
  );
}

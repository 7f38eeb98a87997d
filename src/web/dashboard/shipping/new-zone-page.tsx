import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Page, Panel } from '../parts/page.tsx';
import { EMPTY_ZONE, zoneOf } from './zone-draft.ts';
import { isZoneField, ZoneFields } from './zone-fields.tsx';
import './shipping.css';

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

/** A new shipping zone. */
export function NewZonePage() {
  const [, go] = useLocation();
  const [{ fetching }, create] = useMutation(CREATE);
  const [draft, setDraft] = useState(EMPTY_ZONE);
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const result = await create({ input: zoneOf(draft) });
    setFaults(faultsOf(result));
    const made = result.data?.shippingZoneCreate?.shippingZone;
    if (made != null) go(`/shipping/${encodeURIComponent(made.id)}`);
  }
  const others = faultsBeside(faults, isZoneField);
  return (
    <Page
      title="New zone"
      lead="As soon as a shop has a zone with a shipping method, checkouts need an address."
      actions={
        <Link href="/shipping" className="button button-second">
          All zones
        </Link>
      }
    >
      <Panel title="Zone">
        <form className="shipping-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New zone">
          <ZoneFields
            draft={draft}
            faults={faults}
            onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
          />
          {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
          <div>
            <Button type="submit" busy={fetching}>
              Create zone
            </Button>
          </div>
        </form>
      </Panel>
    </Page>
  );
}

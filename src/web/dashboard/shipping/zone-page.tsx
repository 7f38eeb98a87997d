import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Ask } from '../catalogue/archive.tsx';
import { Badge } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { Methods } from './methods.tsx';
import { TaxRates } from './tax-rates.tsx';
import './method-draft.ts';
import './tax-categories.tsx';
import { coverInWords } from './zone-draft.ts';
import { ZoneForm } from './zone-form.tsx';
import './shipping.css';

const ZONE = graphql(`
  query StaffZonePage($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on ShippingZone {
        ...StaffZone
        methods {
          ...StaffMethod
        }
        taxRates {
          ...StaffTaxRate
        }
      }
    }
    taxCategories {
      ...StaffTaxCategory
    }
  }
`);

const DELETE = graphql(`
  mutation StaffZoneDelete($id: ID!) {
    shippingZoneDelete(input: { id: $id }) {
      deletedId
      errors {
        message
      }
    }
  }
`);

/** A shipping zone, to be edited, with its shipping methods and tax rates. */
export function ZonePage({ id }: { id: string }) {
  const [, go] = useLocation();
  const [{ data, error, fetching }, reread] = usePage(ZONE, { id });
  const [, remove] = useMutation(DELETE);
  const zone = data?.node?.__typename === 'ShippingZone' ? data.node : null;
  const back = (
    <Link href="/shipping" className="button button-second">
      All zones
    </Link>
  );
  if (zone === null) {
    return (
      <Page title="Zone" actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading />}
        {error === undefined && !fetching && <Empty>There is no such zone.</Empty>}
      </Page>
    );
  }
  const categories = data?.taxCategories ?? [];
  return (
    <Page
      title={zone.name}
      lead={
        <span className="row">
          {zone.isHome && <Badge tone="good">Home</Badge>}
          {coverInWords(zone)}
        </span>
      }
      actions={back}
    >
      <Methods zoneId={id} methods={zone.methods ?? []} categories={categories} onDone={reread} />
      <TaxRates zoneId={id} rates={zone.taxRates ?? []} categories={categories} onDone={reread} />
      <Panel title="Zone">
        <ZoneForm key={id} zone={zone} />
      </Panel>
      <Ask
        what="Delete zone"
        confirm="Delete this zone"
        warning="Its shipping methods and tax rates are deleted with it. Orders keep what they paid."
        step={async () => {
          const result = await remove({ id });
          if (result.data?.shippingZoneDelete?.deletedId != null) go('/shipping');
          return result;
        }}
      />
    </Page>
  );
}

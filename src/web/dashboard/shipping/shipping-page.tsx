import { Link } from 'wouter';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Badge } from '../parts/badge.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { TaxCategories } from './tax-categories.tsx';
import { coverInWords } from './zone-draft.ts';
import './shipping.css';

const SHIPPING = graphql(`
  query StaffShippingPage {
    shippingZones {
      ...StaffZone
      methods {
        id
      }
    }
    taxCategories {
      ...StaffTaxCategory
    }
  }
`);

/** Where the shop ships to, and the kinds of goods that are taxed differently. */
export function ShippingPage() {
  const [{ data, error }, reread] = usePage(SHIPPING, {});
  const zones = data?.shippingZones;
  return (
    <Page
      title="Shipping and tax"
      lead="An address belongs to the most specific zone that covers it. Zones have shipping methods and tax rates."
      actions={
        <Link href="/shipping/new" className="button button-primary">
          New zone
        </Link>
      }
    >
      {data === undefined && error !== undefined && <Fault error={error} retry={reread} />}
      {data === undefined && error === undefined && <Loading rows={4} />}
      {zones?.length === 0 && <Empty>There are no zones: checkouts ask for no address, and nothing is taxed.</Empty>}
      {zones != null && zones.length > 0 && (
        <TablePlace label="Zones">
          <table className="table">
            <caption className="visually-hidden">Shipping zones, by name</caption>
            <thead>
              <tr>
                <th scope="col">Zone</th>
                <th scope="col">Covers</th>
                <th scope="col" className="end">
                  Methods
                </th>
              </tr>
            </thead>
            <tbody>
              {zones.map((zone) => (
                <tr key={zone.id}>
                  <th scope="row" className="long">
                    <Link href={`/shipping/${encodeURIComponent(zone.id)}`}>{zone.name}</Link>{' '}
                    {zone.isHome && <Badge tone="good">Home</Badge>}
                  </th>
                  <td className="long">{coverInWords(zone)}</td>
                  <td className="number end">{formatCount(zone.methods?.length ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {data?.taxCategories != null && <TaxCategories categories={data.taxCategories} onDone={reread} />}
    </Page>
  );
}

import { Link, useLocation } from 'wouter';
import { Page, Panel } from '../parts/page.tsx';
import { NewZoneForm } from './zone-form.tsx';
import './shipping.css';

/** A new shipping zone. */
export function NewZonePage() {
  const [, go] = useLocation();
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
        <NewZoneForm onDone={(id) => go(`/shipping/${encodeURIComponent(id)}`)} />
      </Panel>
    </Page>
  );
}

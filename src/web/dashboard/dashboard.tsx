import { useQuery } from 'urql';
import { Router } from 'wouter';
import { Fault } from './parts/states.tsx';
import { LogIn } from './shell/log-in.tsx';
import { NotStaff } from './shell/not-staff.tsx';
import { Pages } from './shell/pages.tsx';
import { Shell } from './shell/shell.tsx';
import { graphql } from '../shared/graphql.ts';
import './dashboard.css';

const STAFF = graphql(`
  query DashboardStaff {
    eventCursor(for: "DashboardStaff")
    serverTime(for: "DashboardStaff")
    me {
      id
      name
      email
      role
    }
    shop {
      name
      currencyCode
    }
  }
`);

/**
 * Staff see the dashboard, everybody else the log-in. The path stays as it is meanwhile: a session that ends leads to the log-in
 * and, after it, back to the same page.
 */
export function Dashboard() {
  const [{ data, fetching, error }, retry] = useQuery({ query: STAFF });
  if (data === undefined) {
    return fetching || error === undefined ? null : (
      <main className="door">
        <Fault error={error} retry={() => retry({ requestPolicy: 'network-only' })} />
      </main>
    );
  }
  const { me, shop, eventCursor } = data;
  if (me == null) return <LogIn shopName={shop.name} />;
  if (me.role === 'CUSTOMER') return <NotStaff shopName={shop.name} email={me.email} />;
  return (
    <Router base="/dashboard">
      <Shell shop={shop} me={me} cursor={eventCursor}>
        <Pages me={me} />
      </Shell>
    </Router>
  );
}

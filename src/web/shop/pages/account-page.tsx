import { useState } from 'react';
import { Link, Redirect } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { graphql } from '../../shared/graphql.ts';
import { useLogOut } from '../../shared/log-in.ts';
import { useLive, usePage } from '../../shared/use-live.ts';
import { AddressBook } from '../account/address-book.tsx';
import { ConfirmNote } from '../account/confirm-note.tsx';
import { Devices } from '../account/devices.tsx';
import { MailSettings } from '../account/mail-settings.tsx';
import { Orders } from '../account/orders.tsx';
import { PasswordForm } from '../account/password-form.tsx';
import { StockAlerts } from '../account/stock-alerts.tsx';
import { Page } from '../layout/page.tsx';
import { Failed } from '../layout/states.tsx';
import './account-page.css';

const ACCOUNT = graphql(`
  query AccountPage($after: String) {
    eventCursor(for: "AccountPage")
    me {
      id
      name
      email
      emailVerified
      orders(first: 20, after: $after) {
        ...AccountOrders
      }
      stockAlerts(first: 20) {
        ...AccountStockAlerts
      }
      addresses {
        ...SavedAddress
      }
      sessions {
        ...AccountSession
      }
      notificationSettings {
        ...AccountMailSettings
      }
    }
  }
`);

const STATUS = graphql(`
  subscription AccountOrderStatus($after: EventCursor) {
    orderStatusChanged(after: $after) {
      cursor
      order {
        id
        status
      }
    }
  }
`);

/** The shopper's account: orders, what is waited for, devices, mails. */
export default function AccountPage() {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, reload] = usePage(ACCOUNT, { after });
  const logOut = useLogOut();
  useLive(STATUS, { variables: {}, after: data?.me == null ? null : data.eventCursor });
  if (data === undefined) {
    return <Page title="Your account">{error !== undefined && <Failed onRetry={reload} />}</Page>;
  }
  const { me } = data;
  if (me == null) return <Redirect to="/log-in?to=/account" replace />;
  return (
    <Page title="Your account">
      <header className="account-head">
        <div>
          <h1>{me.name}</h1>
          <p className="quiet">{me.email}</p>
        </div>
        <Button look="second" onClick={() => void logOut()}>
          Log out
        </Button>
      </header>
      {!me.emailVerified && <ConfirmNote />}
      <div className="account">
        <section className="stack" aria-labelledby="account-orders">
          <h2 id="account-orders">Orders</h2>
          {me.orders == null || me.orders.nodes.length === 0 ? (
            <p>
              Nothing ordered yet. <Link href="/products">Look around</Link>
            </p>
          ) : (
            <Orders orders={me.orders} busy={fetching} onMore={setAfter} />
          )}
        </section>
        <div className="account-side">
          {me.stockAlerts != null && <StockAlerts alerts={me.stockAlerts} />}
          {me.notificationSettings != null && <MailSettings settings={me.notificationSettings} />}
          <AddressBook addresses={me.addresses ?? []} onChange={reload} />
          <PasswordForm onChanged={reload} />
          <Devices sessions={me.sessions ?? []} onChange={reload} />
        </div>
      </div>
    </Page>
  );
}

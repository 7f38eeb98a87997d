import { Link, Redirect, Route, Switch } from 'wouter';
import { OrderPage } from '../orders/order-page.tsx';
import { OrdersPage } from '../orders/orders-page.tsx';
import { Page } from '../parts/page.tsx';

/** Which page an address shows. */
export function Pages() {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/orders" replace />
      </Route>
      <Route path="/orders">
        <OrdersPage />
      </Route>
      <Route path="/orders/:number">{({ number }) => <OrderPage key={number} number={number} />}</Route>
      <Route>
        <Page title="There is nothing here">
          <p>
            The address leads nowhere. <Link href="/orders">See the orders</Link>
          </p>
        </Page>
      </Route>
    </Switch>
  );
}

import { Link, Route, Switch } from 'wouter';
import { OrderPage } from '../orders/order-page.tsx';
import { OrdersPage } from '../orders/orders-page.tsx';
import { OverviewPage } from '../overview/overview-page.tsx';
import { Page } from '../parts/page.tsx';
import { StockPage } from '../stock/stock-page.tsx';
import { VariantPage } from '../stock/variant-page.tsx';

/** Which page an address shows. */
export function Pages() {
  return (
    <Switch>
      <Route path="/">
        <OverviewPage />
      </Route>
      <Route path="/orders">
        <OrdersPage />
      </Route>
      <Route path="/orders/:number">{({ number }) => <OrderPage key={number} number={number} />}</Route>
      <Route path="/stock">
        <StockPage />
      </Route>
      <Route path="/stock/:sku">{({ sku }) => <VariantPage key={sku} sku={decodeURIComponent(sku)} />}</Route>
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

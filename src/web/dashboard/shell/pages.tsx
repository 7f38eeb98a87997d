import { lazy, Suspense } from 'react';
import { Link, Route, Switch } from 'wouter';
import { ActivityPage } from '../activity/activity-page.tsx';
import { CategoriesPage } from '../catalogue/categories-page.tsx';
import { CataloguePage } from '../catalogue/catalogue-page.tsx';
import { NewProductPage } from '../catalogue/new-product-page.tsx';
import { ProductPage } from '../catalogue/product-page.tsx';
import { CustomersPage } from '../customers/customers-page.tsx';
import { ImportPage } from '../imports/import-page.tsx';
import { ImportsPage } from '../imports/imports-page.tsx';
import { OrderPage } from '../orders/order-page.tsx';
import { OrdersPage } from '../orders/orders-page.tsx';
import { OverviewPage } from '../overview/overview-page.tsx';
import { Page } from '../parts/page.tsx';
import { Loading } from '../parts/states.tsx';
import { StockPage } from '../stock/stock-page.tsx';
import { SystemPage } from '../system/system-page.tsx';
import { VariantPage } from '../stock/variant-page.tsx';

// Loaded when they are opened first: most visits are about orders and stock.
const PaymentsPage = lazy(async () => ({ default: (await import('../payments/payments-page.tsx')).PaymentsPage }));
const PromotionsPage = lazy(async () => ({
  default: (await import('../promotions/promotions-page.tsx')).PromotionsPage,
}));
const NewPromotionPage = lazy(async () => ({
  default: (await import('../promotions/new-promotion-page.tsx')).NewPromotionPage,
}));
const PromotionPage = lazy(async () => ({ default: (await import('../promotions/promotion-page.tsx')).PromotionPage }));
const ShippingPage = lazy(async () => ({ default: (await import('../shipping/shipping-page.tsx')).ShippingPage }));
const NewZonePage = lazy(async () => ({ default: (await import('../shipping/new-zone-page.tsx')).NewZonePage }));
const ZonePage = lazy(async () => ({ default: (await import('../shipping/zone-page.tsx')).ZonePage }));

/** Which page an address shows. */
export function Pages({ me }: { me: { id: string; role: string } }) {
  return (
    <Switch>
      <Route path="/">
        <OverviewPage />
      </Route>
      <Route path="/orders">
        <OrdersPage />
      </Route>
      <Route path="/orders/:number">{({ number }) => <OrderPage key={number} number={number} />}</Route>
      <Route path="/payments">
        <Suspense fallback={<Loading />}>
          <PaymentsPage />
        </Suspense>
      </Route>
      <Route path="/stock">
        <StockPage />
      </Route>
      <Route path="/stock/:sku">{({ sku }) => <VariantPage key={sku} sku={decodeURIComponent(sku)} />}</Route>
      <Route path="/catalogue">
        <CataloguePage />
      </Route>
      <Route path="/catalogue/new">
        <NewProductPage />
      </Route>
      <Route path="/catalogue/categories">
        <CategoriesPage />
      </Route>
      <Route path="/catalogue/products/:id">{({ id }) => <ProductPage key={id} id={decodeURIComponent(id)} />}</Route>
      <Route path="/imports">
        <ImportsPage />
      </Route>
      <Route path="/imports/:id">{({ id }) => <ImportPage key={id} id={decodeURIComponent(id)} />}</Route>
      <Route path="/promotions">
        <Suspense fallback={<Loading />}>
          <PromotionsPage />
        </Suspense>
      </Route>
      <Route path="/promotions/new">
        <Suspense fallback={<Loading />}>
          <NewPromotionPage />
        </Suspense>
      </Route>
      <Route path="/promotions/:id">
        {({ id }) => (
          <Suspense fallback={<Loading />}>
            <PromotionPage key={id} id={decodeURIComponent(id)} />
          </Suspense>
        )}
      </Route>
      <Route path="/shipping">
        <Suspense fallback={<Loading />}>
          <ShippingPage />
        </Suspense>
      </Route>
      <Route path="/shipping/new">
        <Suspense fallback={<Loading />}>
          <NewZonePage />
        </Suspense>
      </Route>
      <Route path="/shipping/:id">
        {({ id }) => (
          <Suspense fallback={<Loading />}>
            <ZonePage key={id} id={decodeURIComponent(id)} />
          </Suspense>
        )}
      </Route>
      <Route path="/customers">
        <CustomersPage me={me} />
      </Route>
      <Route path="/activity">
        <ActivityPage />
      </Route>
      <Route path="/system">
        <SystemPage />
      </Route>
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

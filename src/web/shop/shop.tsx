import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { LiveBanner } from '../shared/components/live-banner.tsx';
import { sessionEnded } from '../shared/session.ts';
import { useStore } from '../shared/store.ts';
import { CartContext } from './cart/cart-context.ts';
import { cartOpen, useCart } from './cart/cart-state.ts';
import { LowStockToast } from './cart/low-stock-news.tsx';
import { Footer } from './layout/footer.tsx';
import { Header } from './layout/header.tsx';
import { Page } from './layout/page.tsx';
import { Scroll } from './layout/scroll.tsx';
import { ShopName, useShopName } from './layout/shop-name.ts';
import { NotFound } from './layout/states.tsx';
import { HomePage } from './pages/home-page.tsx';
import { ProductPage } from './pages/product-page.tsx';
import { ProductsPage } from './pages/products-page.tsx';

const CartDrawer = lazy(() => import('./cart/cart-drawer.tsx'));
const CartPage = lazy(() => import('./pages/cart-page.tsx'));
const CheckoutPage = lazy(() => import('./pages/checkout-page.tsx'));
const OrderPage = lazy(() => import('./pages/order-page.tsx'));
const PayPage = lazy(() => import('./pages/pay-page.tsx'));
const LogInPage = lazy(() => import('./pages/log-in-page.tsx'));
const RegisterPage = lazy(() => import('./pages/register-page.tsx'));
const ForgottenPasswordPage = lazy(() => import('./pages/forgotten-password-page.tsx'));
const ResetPasswordPage = lazy(() => import('./pages/reset-password-page.tsx'));
const ConfirmEmailPage = lazy(() => import('./pages/confirm-email-page.tsx'));
const StockAlertPage = lazy(() => import('./pages/stock-alert-page.tsx'));
const AccountPage = lazy(() => import('./pages/account-page.tsx'));
const AccountOrderPage = lazy(() => import('./pages/account-order-page.tsx'));

/** The shop window. */
export function Shop() {
  const viewer = useCart();
  const first = useShopName();
  return (
    <ShopName value={viewer.shopName ?? first}>
      <CartContext value={viewer}>
        <LiveBanner />
        <Header cart={viewer.cart} name={viewer.me?.name ?? null} />
        <SessionEnd />
        <Scroll />
        <Suspense fallback={<Page title={null}>{null}</Page>}>
          <Pages />
        </Suspense>
        <Footer />
        <LowStockToast cart={viewer.cart} />
        <WhenOpened>
          <CartDrawer cart={viewer.cart} />
        </WhenOpened>
      </CartContext>
    </ShopName>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/" component={HomePage} />
      <Route path="/products">
        <ProductsPage />
      </Route>
      <Route path="/products/:slug">{({ slug }) => <ProductPage key={slug} slug={slug} />}</Route>
      <Route path="/categories/:slug">{({ slug }) => <ProductsPage category={slug} />}</Route>
      <Route path="/cart" component={CartPage} />
      <Route path="/checkout" component={CheckoutPage} />
      <Route path="/pay" component={PayPage} />
      <Route path="/order" component={OrderPage} />
      <Route path="/log-in" component={LogInPage} />
      <Route path="/register" component={RegisterPage} />
      <Route path="/forgotten-password" component={ForgottenPasswordPage} />
      <Route path="/reset-password" component={ResetPasswordPage} />
      <Route path="/confirm-email" component={ConfirmEmailPage} />
      <Route path="/stock-alert" component={StockAlertPage} />
      <Route path="/account" component={AccountPage} />
      <Route path="/account/orders/:number">{({ number }) => <AccountOrderPage number={number} />}</Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** The drawer is loaded when the cart is opened first, and stays, so that it can be seen to close. */
function WhenOpened({ children }: { children: ReactNode }) {
  const open = useStore(cartOpen);
  const [opened, setOpened] = useState(open);
  if (open && !opened) setOpened(true);
  return opened && <Suspense fallback={null}>{children}</Suspense>;
}

/** A session that ended while a page of the account is open leads to the log-in, and back. */
function SessionEnd() {
  const ended = useStore(sessionEnded);
  const [path] = useLocation();
  if (!ended || !path.startsWith('/account')) return null;
  return <Redirect to={`/log-in?ended&to=${encodeURIComponent(path)}`} replace />;
}

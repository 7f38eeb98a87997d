import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { useViewer } from '../cart/cart-context.ts';
import { Page } from '../layout/page.tsx';
import { Failed, NotFound } from '../layout/states.tsx';
import { OrderView } from '../order/order-view.tsx';
import { Redirect } from 'wouter';

const ORDER = graphql(`
  query AccountOrderPage($number: String!) {
    order(number: $number) {
      asOf(for: "AccountOrderPage")
      ...OrderDetails
    }
  }
`);

/** An order of the account. */
export default function AccountOrderPage({ number }: { number: string }) {
  const { me, loading } = useViewer();
  const [{ data, error }, reload] = usePage(ORDER, { number }, { pause: me === null });
  if (!loading && me === null) {
    return <Redirect to={`/log-in?to=${encodeURIComponent(`/account/orders/${number}`)}`} replace />;
  }
  if (data === undefined) {
    return <Page title={`Order ${number}`}>{error !== undefined && <Failed onRetry={reload} />}</Page>;
  }
  if (data.order == null) return <NotFound what="There is no such order" />;
  return (
    <Page title={`Order ${data.order.number}`}>
      <OrderView order={data.order} after={data.order.asOf} />
    </Page>
  );
}

import { useMutation } from 'urql';
import { useSearchParams } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { faultInWords } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';
import { Failed } from '../layout/states.tsx';
import { OrderView } from '../order/order-view.tsx';

const ORDER = graphql(`
  query OrderPage($accessToken: String!) {
    order(accessToken: $accessToken) {
      asOf(for: "OrderPage")
      ...OrderDetails
    }
  }
`);

const NEW_LINK = graphql(`
  mutation OrderPageNewLink($input: OrderLinkRequestInput!) {
    orderLinkRequest(input: $input) {
      accepted
      errors {
        ...ShopFault
      }
    }
  }
`);

/** An order by the link of its mail: the link is enough, without an account. */
export default function OrderPage() {
  const [params] = useSearchParams();
  const accessToken = params.get('token') ?? '';
  const [{ data, error, fetching }, reload] = usePage(ORDER, { accessToken }, { pause: accessToken === '' });
  const order = data?.order;
  if (order != null) {
    return (
      <Page title={`Order ${order.number}`}>
        <OrderView order={order} after={order.asOf} accessToken={accessToken} />
      </Page>
    );
  }
  if (error?.networkError !== undefined) {
    return (
      <Page title="Your order">
        <Failed onRetry={reload} />
      </Page>
    );
  }
  return (
    <Page title="Your order" width="narrow">
      <h1>Your order</h1>
      {fetching ? null : <EndedLink accessToken={accessToken} />}
    </Page>
  );
}

function EndedLink({ accessToken }: { accessToken: string }) {
  const [{ data, error, fetching }, request] = useMutation(NEW_LINK);
  if (data?.orderLinkRequest?.accepted === true) {
    return (
      <Notice tone="good">If the link was one of ours, a new one is on its way to the address of the order.</Notice>
    );
  }
  const fault = data === undefined && error === undefined ? null : faultInWords(data?.orderLinkRequest?.errors, error);
  return (
    <div className="stack">
      <p>This link does not lead to an order, or does so no more: links end after a while.</p>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      {accessToken !== '' && (
        <Button busy={fetching} onClick={() => void request({ input: { accessToken } })}>
          Send me a new link
        </Button>
      )}
    </div>
  );
}

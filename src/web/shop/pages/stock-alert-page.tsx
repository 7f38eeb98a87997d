import { useMutation } from 'urql';
import { useSearchParams } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';

const CANCEL = graphql(`
  mutation ShopStockAlertCancel($input: StockAlertCancelInput!) {
    stockAlertCancel(input: $input) {
      stockAlert {
        id
        status
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Ends a stock alert by the link of a mail. */
export default function StockAlertPage() {
  const [params] = useSearchParams();
  const [{ data, error, fetching }, cancel] = useMutation(CANCEL);
  const asked = data !== undefined || error !== undefined;
  const fault = asked ? faultInWords(data?.stockAlertCancel?.errors, error) : null;
  return (
    <Page title="Stock alert" width="narrow">
      <h1>Stock alert</h1>
      {asked && fault === null ? (
        <Notice tone="good">You get no mail about this any more.</Notice>
      ) : (
        <div className="stack">
          <p>You wait to hear when something is back in stock.</p>
          {fault !== null && <Notice tone="bad">{fault}</Notice>}
          <Button busy={fetching} onClick={() => void cancel({ input: { token: params.get('token') ?? '' } })}>
            Stop waiting
          </Button>
        </div>
      )}
    </Page>
  );
}

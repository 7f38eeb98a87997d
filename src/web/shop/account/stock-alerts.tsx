import { useMutation } from 'urql';
import { Link } from 'wouter';
import type { AccountStockAlertsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { graphql } from '../../shared/graphql.ts';

graphql(`
  fragment AccountStockAlerts on StockAlertConnection {
    nodes {
      id
      status
      variant {
        id
        title
        product {
          id
          slug
          title
        }
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation AccountStockAlertCancel($input: StockAlertCancelInput!) {
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

/** What the shopper waits for. */
export function StockAlerts({ alerts }: { alerts: AccountStockAlertsFragment }) {
  const [{ fetching }, cancel] = useMutation(CANCEL);
  const waiting = alerts.nodes.filter(({ status }) => status === 'WAITING');
  if (waiting.length === 0) return null;
  return (
    <section aria-labelledby="account-alerts">
      <h2 id="account-alerts">You wait for</h2>
      <ul className="account-list">
        {waiting.map(({ id, variant: { title, product } }) => (
          <li key={id}>
            <span>
              <Link href={`/products/${product.slug}`}>{product.title}</Link>
              {title !== 'Default' && <span className="quiet small"> {title}</span>}
            </span>
            <Button
              look="plain"
              busy={fetching}
              aria-label={`Stop waiting for ${product.title}`}
              onClick={() => void cancel({ input: { id } })}
            >
              Stop
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

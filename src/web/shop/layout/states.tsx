import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Page } from './page.tsx';
import './states.css';

/** What a page shows that could not be read. */
export function Failed({ onRetry }: { onRetry: () => void }) {
  return (
    <div className="state" role="alert">
      <h1>{navigator.onLine ? 'The shop did not answer' : 'You are offline'}</h1>
      <p>The page is loaded by itself when the connection returns.</p>
      <Button look="second" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

export function NotFound({ what = 'There is nothing here' }: { what?: string }) {
  return (
    <Page title={what} width="narrow">
      <div className="state">
        <h1>{what}</h1>
        <p>It may have been taken off the shelf, or the address has a letter too many.</p>
        <Link className="button button-second" href="/products">
          All products
        </Link>
      </div>
    </Page>
  );
}

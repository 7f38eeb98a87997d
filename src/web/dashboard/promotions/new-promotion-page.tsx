import { Link, useLocation } from 'wouter';
import { Page } from '../parts/page.tsx';
import { NewPromotionForm } from './promotion-form.tsx';

/** A new promotion. */
export function NewPromotionPage() {
  const [, go] = useLocation();
  return (
    <Page
      title="New promotion"
      actions={
        <Link href="/promotions" className="button button-second">
          All promotions
        </Link>
      }
    >
      <NewPromotionForm onDone={(id) => go(`/promotions/${encodeURIComponent(id)}`)} />
    </Page>
  );
}

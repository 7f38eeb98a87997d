import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { formatCount, formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Ask } from '../catalogue/archive.tsx';
import { Status } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { PromotionCodes } from './promotion-codes.tsx';
import { effectInWords } from './promotion-draft.ts';
import { PromotionForm } from './promotion-form.tsx';

const PROMOTION = graphql(`
  query StaffPromotionPage($id: ID!) {
    promotion(id: $id) {
      ...StaffPromotion
      usage {
        sums {
          orderCount
          revenue {
            amount
            currencyCode
          }
          discountTotal {
            amount
            currencyCode
          }
        }
      }
    }
  }
`);

const END = graphql(`
  mutation StaffPromotionEnd($id: ID!) {
    promotionEnd(input: { id: $id }) {
      promotion {
        ...StaffPromotion
      }
      errors {
        message
      }
    }
  }
`);

const DELETE = graphql(`
  mutation StaffPromotionDelete($id: ID!) {
    promotionDelete(input: { id: $id }) {
      deletedId
      errors {
        message
      }
    }
  }
`);

/** A promotion, to be edited and ended, with its codes and what it has done. */
export function PromotionPage({ id }: { id: string }) {
  const [, go] = useLocation();
  const [{ data, error, fetching }, reread] = usePage(PROMOTION, { id });
  const [, end] = useMutation(END);
  const [, remove] = useMutation(DELETE);
  const promotion = data?.promotion;
  const back = (
    <Link href="/promotions" className="button button-second">
      All promotions
    </Link>
  );
  if (promotion == null) {
    return (
      <Page title="Promotion" actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading />}
        {error === undefined && !fetching && <Empty>There is no such promotion.</Empty>}
      </Page>
    );
  }
  const sums = promotion.usage?.sums;
  return (
    <Page
      title={promotion.title}
      lead={
        <span className="row">
          <Status of={promotion.status} />
          {effectInWords(promotion, formatMoney)}
        </span>
      }
      actions={back}
    >
      <Panel title="Usage">
        <p className="number">
          {sums == null
            ? ''
            : `In the last 30 days: ${formatCount(sums.orderCount)} orders of ${formatMoney(sums.revenue)}, ${formatMoney(sums.discountTotal)} given away.`}
        </p>
        {promotion.usageLimit != null && (
          <p className="number">
            {formatCount(promotion.used)} of {formatCount(promotion.usageLimit)} orders
          </p>
        )}
        {promotion.budget != null && (
          <p className="number">
            {formatMoney(promotion.spent)} of {formatMoney(promotion.budget)} given away
          </p>
        )}
      </Panel>
      {promotion.trigger === 'CODE' && <PromotionCodes promotionId={id} title={promotion.title} />}
      <PromotionForm key={id} promotion={promotion} />
      {promotion.status !== 'ENDED' && (
        <Ask
          what="End promotion"
          confirm="End this promotion now"
          warning="Carts lose the discount at once. Orders keep it."
          step={() => end({ id })}
        />
      )}
      <Ask
        what="Delete promotion"
        confirm="Delete this promotion"
        warning="The promotion and its codes are deleted for good. Orders keep their discounts."
        step={async () => {
          const result = await remove({ id });
          if (result.data?.promotionDelete?.deletedId != null) go('/promotions');
          return result;
        }}
      />
    </Page>
  );
}

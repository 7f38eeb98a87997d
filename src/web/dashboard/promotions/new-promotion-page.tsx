import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Page } from '../parts/page.tsx';
import { creationOf, EMPTY_PROMOTION, faultsOfDraft } from './promotion-draft.ts';
import { isPromotionField, PromotionFields } from './promotion-fields.tsx';
import { PromotionPreview } from './promotion-preview.tsx';

const CREATE = graphql(`
  mutation StaffPromotionCreate($input: PromotionCreateInput!) {
    promotionCreate(input: $input) {
      promotion {
        ...StaffPromotion
      }
      errors {
        message
        path
      }
    }
  }
`);

/** A new promotion. */
export function NewPromotionPage() {
  const [, go] = useLocation();
  const [{ fetching }, create] = useMutation(CREATE);
  const [draft, setDraft] = useState(EMPTY_PROMOTION);
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const own = faultsOfDraft(draft);
    setFaults(own);
    if (Object.keys(own).length > 0) return;
    const result = await create({ input: creationOf(draft) });
    setFaults(faultsOf(result));
    const made = result.data?.promotionCreate?.promotion;
    if (made != null) go(`/promotions/${encodeURIComponent(made.id)}`);
  }
  const others = faultsBeside(faults, isPromotionField);
  return (
    <Page
      title="New promotion"
      actions={
        <Link href="/promotions" className="button button-second">
          All promotions
        </Link>
      }
    >
      <form className="promotion-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New promotion">
        <PromotionFields
          draft={draft}
          faults={faults}
          isNew
          onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
        />
        {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
        <div>
          <Button type="submit" busy={fetching}>
            Create promotion
          </Button>
        </div>
      </form>
      <PromotionPreview draft={draft} />
    </Page>
  );
}

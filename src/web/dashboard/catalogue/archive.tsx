import { useState, type ReactNode } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';
import './product-draft.ts';

const ARCHIVE = graphql(`
  mutation StaffProductArchive($id: ID!) {
    productArchive(input: { id: $id }) {
      product {
        ...StaffProduct
      }
      errors {
        message
      }
    }
  }
`);

/** Takes a product off sale. Setting its status brings it back. */
export function ArchiveProduct({ id }: { id: string }) {
  const [, archive] = useMutation(ARCHIVE);
  return (
    <Ask
      what="Archive product"
      confirm="Archive this product"
      step={() => archive({ id })}
      warning="The product is no longer listed and cannot be added to carts. Carts and orders that contain it keep it."
    />
  );
}

/** A button for a step that is worth a second thought: it says what follows, and asks. */
export function Ask({
  what,
  label,
  confirm,
  warning,
  step,
}: {
  what: string;
  /** Names the button more exactly than its words do. */
  label?: string;
  confirm: string;
  warning: ReactNode;
  step: () => Promise<Parameters<typeof refusalOf>[0]>;
}) {
  const [isAsking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  async function take() {
    setBusy(true);
    const refusal = refusalOf(await step());
    setBusy(false);
    setFault(refusal);
    if (refusal === null) setAsking(false);
  }
  if (!isAsking) {
    return (
      <div>
        <Button look="second" className="button-small" aria-label={label} onClick={() => setAsking(true)}>
          {what}
        </Button>
      </div>
    );
  }
  return (
    <Notice tone="bad">
      <p>{warning}</p>
      {fault !== null && <p className="field-fault">{fault}</p>}
      <div className="row">
        <Button busy={busy} onClick={() => void take()}>
          {confirm}
        </Button>
        <Button
          look="second"
          onClick={() => {
            setAsking(false);
            setFault(null);
          }}
        >
          Keep it
        </Button>
      </div>
    </Notice>
  );
}

import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { Ask } from '../catalogue/archive.tsx';
import { Choice } from '../parts/choice.tsx';
import { faultsBeside, faultsOf, NO_FAULTS, type Faults } from '../parts/faults.ts';
import { Panel } from '../parts/page.tsx';

export const TAX_CATEGORY = graphql(`
  fragment StaffTaxCategory on TaxCategory {
    id
    code
    name
    isDefault
  }
`);

const CREATE = graphql(`
  mutation StaffTaxCategoryCreate($input: TaxCategoryCreateInput!) {
    taxCategoryCreate(input: $input) {
      taxCategory {
        ...StaffTaxCategory
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffTaxCategoryUpdate($input: TaxCategoryUpdateInput!) {
    taxCategoryUpdate(input: $input) {
      taxCategory {
        ...StaffTaxCategory
      }
      errors {
        message
        path
      }
    }
  }
`);

const DELETE = graphql(`
  mutation StaffTaxCategoryDelete($id: ID!) {
    taxCategoryDelete(input: { id: $id }) {
      deletedId
      errors {
        message
      }
    }
  }
`);

interface Draft {
  code: string;
  name: string;
  isDefault: boolean;
}

const EMPTY: Draft = { code: '', name: '', isDefault: false };
const isField = (field: string) => field === 'code' || field === 'name';

/** The tax categories of the shop: to be created, edited and deleted. */
export function TaxCategories({
  categories,
  onDone,
}: {
  categories: readonly StaffTaxCategoryFragment[];
  onDone: () => void;
}) {
  return (
    <Panel title="Tax categories">
      <p className="quiet small">Kinds of goods with a tax rate of their own. The rates belong to the zones.</p>
      {categories.map((category) => (
        <Edit
          key={`${category.id} ${category.code} ${category.name} ${category.isDefault}`}
          category={category}
          onDone={onDone}
        />
      ))}
      <Create onDone={onDone} />
    </Panel>
  );
}

function Fields({
  draft,
  faults,
  onChange,
}: {
  draft: Draft;
  faults: Faults;
  onChange: (changes: Partial<Draft>) => void;
}) {
  return (
    <>
      <Field
        label="Name"
        required
        maxLength={100}
        fault={faults['name']}
        value={draft.name}
        onChange={({ target }) => onChange({ name: target.value })}
      />
      <Field
        label="Code"
        required
        maxLength={50}
        fault={faults['code']}
        value={draft.code}
        onChange={({ target }) => onChange({ code: target.value })}
      />
    </>
  );
}

function Beside({ faults }: { faults: Faults }) {
  const messages = faultsBeside(faults, isField);
  return messages.length === 0 ? null : <Notice tone="bad">{messages.join(' ')}</Notice>;
}

function Create({ onDone }: { onDone: () => void }) {
  const [{ fetching }, create] = useMutation(CREATE);
  const [draft, setDraft] = useState(EMPTY);
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const found = faultsOf(await create({ input: draft }));
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    setDraft(EMPTY);
    onDone();
  }
  return (
    <form className="category-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New tax category">
      <Fields draft={draft} faults={faults} onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))} />
      <Button type="submit" look="second" busy={fetching}>
        Create category
      </Button>
      <Beside faults={faults} />
    </form>
  );
}

function Edit({ category, onDone }: { category: StaffTaxCategoryFragment; onDone: () => void }) {
  const [{ fetching }, update] = useMutation(UPDATE);
  const [, remove] = useMutation(DELETE);
  const { id, code, name, isDefault } = category;
  const [draft, setDraft] = useState<Draft>({ code, name, isDefault });
  const [faults, setFaults] = useState(NO_FAULTS);
  const isDirty = draft.code !== code || draft.name !== name || draft.isDefault !== isDefault;
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const found = faultsOf(await update({ input: { id, ...draft } }));
    setFaults(found);
    if (Object.keys(found).length === 0) onDone();
  }
  return (
    <div className="tax-category">
      <form
        className="category-form"
        onSubmit={(event) => void submit(event)}
        noValidate
        aria-label={`Tax category ${name}`}
      >
        <Fields
          draft={draft}
          faults={faults}
          onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
        />
        <Button type="submit" look="second" busy={fetching} disabled={!isDirty}>
          Save
        </Button>
        <Beside faults={faults} />
      </form>
      <div className="category-foot">
        <Choice
          label="Of variants without a category"
          checked={draft.isDefault}
          onChange={(next) => setDraft((before) => ({ ...before, isDefault: next }))}
        />
        <Ask
          what="Delete"
          label={`Delete ${name}`}
          confirm="Delete this category"
          warning="Its rates are deleted in all zones. Categories that variants or shipping methods have cannot be deleted."
          step={async () => {
            const result = await remove({ id });
            if (result.data?.taxCategoryDelete?.deletedId != null) onDone();
            return result;
          }}
        />
      </div>
    </div>
  );
}

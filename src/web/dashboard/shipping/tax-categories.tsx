import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { Ask } from '../catalogue/archive.tsx';
import { Choice } from '../parts/choice.tsx';
import { EditConflict, FaultsBeside } from '../parts/entry-form.tsx';
import { Panel } from '../parts/page.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';

export const TAX_CATEGORY = graphql(`
  fragment StaffTaxCategory on TaxCategory {
    id
    code
    name
    isDefault
    updatedAt
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
        ... on EditConflictError {
          subject {
            ...StaffTaxCategory
          }
        }
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

const draftOf = ({ code, name, isDefault }: StaffTaxCategoryFragment): Draft => ({ code, name, isDefault });
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
        <Edit key={category.id} category={category} onDone={onDone} />
      ))}
      <Create onDone={onDone} />
    </Panel>
  );
}

function Fields(props: FieldsProps<Draft>) {
  return (
    <>
      <Field label="Name" required maxLength={100} {...textOf(props, 'name')} />
      <Field label="Code" required maxLength={50} {...textOf(props, 'code')} />
    </>
  );
}

function Create({ onDone }: { onDone: () => void }) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({ empty: EMPTY, create: (draft) => create({ input: draft }), onDone });
  return (
    <form className="category-form" onSubmit={entry.submit} noValidate aria-label="New tax category">
      <Fields draft={entry.draft} faults={entry.faults} onChange={entry.set} />
      <Button type="submit" look="second" busy={entry.busy}>
        Create category
      </Button>
      <FaultsBeside faults={entry.faults} isShown={isField} />
    </form>
  );
}

function Edit({ category, onDone }: { category: StaffTaxCategoryFragment; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [, remove] = useMutation(DELETE);
  const { id, name } = category;
  const entry = useEditEntry({
    shown: category,
    draftOf,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id, expectedUpdatedAt, ...changesOf(draft, current) } }),
    savedOf: (data) => data.taxCategoryUpdate?.taxCategory,
    onDone,
  });
  const words = {
    code: ['Code', category.code],
    name: ['Name', name],
    isDefault: ['Of variants without a category', category.isDefault ? 'yes' : 'no'],
  } as const;
  return (
    <div className="tax-category">
      <form className="category-form" onSubmit={entry.submit} noValidate aria-label={`Tax category ${name}`}>
        <Fields draft={entry.draft} faults={entry.faults} onChange={entry.set} />
        <Button type="submit" look="second" busy={entry.busy} disabled={!entry.isDirty || entry.overtaken.length > 0}>
          Save
        </Button>
        <EditConflict entry={entry} what="category" inWords={(field) => words[field]} />
        <FaultsBeside faults={entry.faults} isShown={isField} />
      </form>
      <div className="category-foot">
        <Choice
          label="Of variants without a category"
          checked={entry.draft.isDefault}
          onChange={(isDefault) => entry.set({ isDefault })}
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

import { useMutation } from 'urql';
import { graphql } from '../../shared/graphql.ts';
import type { StaffProductFragment } from '../../generated/graphql.ts';
import { EditForm } from '../parts/entry-form.tsx';
import { useEditEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';
import { draftOf, FIELD_NAMES, updateOf, valueInWords } from './product-draft.ts';
import { isProductField, ProductFields } from './product-fields.tsx';

const UPDATE = graphql(`
  mutation StaffProductUpdate($input: ProductUpdateInput!) {
    productUpdate(input: $input) {
      product {
        ...StaffProduct
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffProduct
          }
        }
      }
    }
  }
`);

/** Edits a product. Only what was changed is sent, with the version that it was changed from. */
export function ProductForm({ product }: { product: StaffProductFragment }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: product,
    draftOf,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: product.id, expectedUpdatedAt, ...updateOf(changesOf(draft, current)) } }),
    savedOf: (data) => data.productUpdate?.product,
  });
  return (
    <EditForm
      entry={entry}
      label="Product"
      submit="Save"
      isShown={isProductField}
      what="product"
      inWords={(field) => [FIELD_NAMES[field], valueInWords(field, draftOf(product))]}
    >
      <ProductFields draft={entry.draft} faults={entry.faults} onChange={entry.set} />
    </EditForm>
  );
}

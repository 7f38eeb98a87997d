import { Field } from '../../shared/components/field.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { ProductStatus } from '../../generated/graphql.ts';
import type { Faults } from '../parts/faults.ts';
import { Select } from '../parts/select.tsx';
import { TextArea } from '../parts/text-area.tsx';
import { ImageList } from './image-list.tsx';
import type { ProductDraft } from './product-draft.ts';

const CATEGORIES = graphql(`
  query StaffCategoryChoices {
    categories(first: 100) {
      nodes {
        id
        slug
        name
      }
    }
  }
`);

const STATUSES = [
  ['ACTIVE', 'Active: on sale'],
  ['DRAFT', 'Draft: seen by staff alone'],
  ['ARCHIVED', 'Archived: taken off sale'],
] as const satisfies readonly (readonly [ProductStatus, string])[];

/** Whether a form of a product shows a message at this field of the input. */
export const isProductField = (field: string): boolean =>
  /^(title|slug|vendor|categorySlug|tags(\.\d+)?|description|images|images\.\d+\.(url|altText))$/.test(field);

/** The fields of a product, without its variants. */
export function ProductFields({
  draft,
  onChange,
  faults,
  isNew = false,
}: {
  draft: ProductDraft;
  onChange: (changes: Partial<ProductDraft>) => void;
  faults: Faults;
  isNew?: boolean;
}) {
  const [{ data }] = usePage(CATEGORIES, {});
  const categories = [
    ['', 'No category'] as const,
    ...(data?.categories?.nodes ?? []).map(({ slug, name }) => [slug, name] as const),
  ];
  // One that is not among the first hundred, or was deleted since.
  const isListed = categories.some(([slug]) => slug === draft.categorySlug);
  const choices = isListed ? categories : [...categories, [draft.categorySlug, draft.categorySlug] as const];
  const tagFault = Object.entries(faults).find(([field]) => /^tags(\.|$)/.test(field))?.[1];
  return (
    <>
      <Field
        label="Title"
        required
        maxLength={300}
        fault={faults['title']}
        value={draft.title}
        onChange={({ target }) => onChange({ title: target.value })}
      />
      <div className="product-pair">
        <Field
          label="Slug"
          required={!isNew}
          maxLength={200}
          hint={isNew ? 'The end of the address. Made from the title if left empty.' : 'The end of the address.'}
          fault={faults['slug']}
          value={draft.slug}
          onChange={({ target }) => onChange({ slug: target.value })}
        />
        <Field
          label="Vendor"
          maxLength={200}
          fault={faults['vendor']}
          value={draft.vendor}
          onChange={({ target }) => onChange({ vendor: target.value })}
        />
        <div>
          <Select
            label="Category"
            value={draft.categorySlug}
            options={choices}
            onChange={(categorySlug) => onChange({ categorySlug })}
          />
          {faults['categorySlug'] !== undefined && <p className="field-fault">{faults['categorySlug']}</p>}
        </div>
        <Select label="Status" value={draft.status} options={STATUSES} onChange={(status) => onChange({ status })} />
      </div>
      <Field
        label="Tags"
        hint="Separated by commas."
        fault={tagFault}
        value={draft.tags}
        onChange={({ target }) => onChange({ tags: target.value })}
      />
      <TextArea
        label="Description"
        maxLength={50_000}
        fault={faults['description']}
        value={draft.description}
        onChange={({ target }) => onChange({ description: target.value })}
      />
      <ImageList images={draft.images} faults={faults} onChange={(images) => onChange({ images })} />
    </>
  );
}

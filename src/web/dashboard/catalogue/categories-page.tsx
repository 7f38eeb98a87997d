import { useMutation } from 'urql';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StaffCategoryFragment } from '../../generated/graphql.ts';
import { EditConflict, FaultsBeside } from '../parts/entry-form.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';
import { Ask } from './archive.tsx';
import './catalogue.css';

export const CATEGORY = graphql(`
  fragment StaffCategory on Category {
    id
    slug
    name
    updatedAt
    products(first: 1) {
      totalCount
      totalCountPrecision
    }
  }
`);

const CATEGORIES = graphql(`
  query StaffCategoriesPage($first: Int, $last: Int, $after: String, $before: String) {
    categories(first: $first, last: $last, after: $after, before: $before) {
      nodes {
        ...StaffCategory
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

const CREATE = graphql(`
  mutation StaffCategoryCreate($input: CategoryCreateInput!) {
    categoryCreate(input: $input) {
      category {
        ...StaffCategory
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffCategoryUpdate($input: CategoryUpdateInput!) {
    categoryUpdate(input: $input) {
      category {
        ...StaffCategory
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffCategory
          }
        }
      }
    }
  }
`);

const DELETE = graphql(`
  mutation StaffCategoryDelete($id: ID!) {
    categoryDelete(input: { id: $id }) {
      deletedId
      errors {
        message
        path
      }
    }
  }
`);

const isField = (field: string) => field === 'name' || field === 'slug';

/** The categories of the shop. */
export function CategoriesPage() {
  const { get } = usePlace();
  const [{ data, error }, reread] = usePage(CATEGORIES, pageArguments(get, 50));
  const categories = data?.categories;
  return (
    <Page
      title="Categories"
      lead="Each product belongs to one category at most."
      actions={
        <Link href="/catalogue" className="button button-second">
          All products
        </Link>
      }
    >
      <Panel title="New category">
        <Create onDone={reread} />
      </Panel>
      {error !== undefined && categories == null && <Fault error={error} retry={reread} />}
      {error === undefined && categories == null && <Loading rows={4} />}
      {categories?.nodes.length === 0 && <Empty>There are no categories yet.</Empty>}
      {categories?.nodes.map((category) => (
        <Edit key={category.id} category={category} onDone={reread} />
      ))}
      {categories != null && <Pager info={categories.pageInfo} of="categories" />}
    </Page>
  );
}

type Draft = { name: string; slug: string };
const EMPTY: Draft = { name: '', slug: '' };
const draftOf = ({ name, slug }: StaffCategoryFragment): Draft => ({ name, slug });

function Fields({ isNew, ...props }: FieldsProps<Draft> & { isNew: boolean }) {
  return (
    <>
      <Field label="Name" required maxLength={200} {...textOf(props, 'name')} />
      <Field label="Slug" required={!isNew} maxLength={200} {...textOf(props, 'slug')} />
    </>
  );
}

function Create({ onDone }: { onDone: () => void }) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: EMPTY,
    create: ({ name, slug }) => create({ input: { name, ...(slug.trim() === '' ? {} : { slug: slug.trim() }) } }),
    onDone,
  });
  return (
    <form className="category-form" onSubmit={entry.submit} noValidate aria-label="New category">
      <Fields isNew draft={entry.draft} faults={entry.faults} onChange={entry.set} />
      <Button type="submit" busy={entry.busy}>
        Create category
      </Button>
      <FaultsBeside faults={entry.faults} isShown={isField} />
    </form>
  );
}

function Edit({ category, onDone }: { category: StaffCategoryFragment; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [, remove] = useMutation(DELETE);
  const entry = useEditEntry({
    shown: category,
    draftOf,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: category.id, expectedUpdatedAt, ...changesOf(draft, current) } }),
    savedOf: (data) => data.categoryUpdate?.category,
  });
  const { totalCount = 0, totalCountPrecision } = category.products ?? {};
  return (
    <section className="panel" aria-label={category.name}>
      <form className="category-form" onSubmit={entry.submit} noValidate aria-label={`Category ${category.name}`}>
        <Fields isNew={false} draft={entry.draft} faults={entry.faults} onChange={entry.set} />
        <Button type="submit" look="second" busy={entry.busy} disabled={!entry.isDirty || entry.overtaken.length > 0}>
          Save
        </Button>
        <EditConflict
          entry={entry}
          what="category"
          inWords={(field) => [field === 'name' ? 'Name' : 'Slug', category[field]]}
        />
        <FaultsBeside faults={entry.faults} isShown={isField} />
      </form>
      <div className="category-foot">
        <p className="quiet small number">
          {totalCountPrecision === 'AT_LEAST' && 'More than '}
          {formatCount(totalCount)} active {totalCount === 1 ? 'product' : 'products'}
        </p>
        <Ask
          what="Delete"
          label={`Delete ${category.name}`}
          confirm="Delete this category"
          warning="Its products remain, without a category."
          step={async () => {
            const result = await remove({ id: category.id });
            if (result.data?.categoryDelete?.deletedId != null) onDone();
            return result;
          }}
        />
      </div>
    </section>
  );
}

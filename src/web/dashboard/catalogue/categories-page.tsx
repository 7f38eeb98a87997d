import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StaffCategoryFragment } from '../../generated/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Overtaken } from '../parts/overtaken.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { changesOf, useEditing } from '../parts/use-editing.ts';
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

function Create({ onDone }: { onDone: () => void }) {
  const [{ fetching }, create] = useMutation(CREATE);
  const [name, setName] = useState('');
  const [slug, setSlug] = useState('');
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const result = await create({ input: { name, ...(slug.trim() === '' ? {} : { slug: slug.trim() }) } });
    const found = faultsOf(result);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    setName('');
    setSlug('');
    onDone();
  }
  const others = faultsBeside(faults, isField);
  return (
    <form className="category-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New category">
      <Field
        label="Name"
        required
        maxLength={200}
        fault={faults['name']}
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      <Field
        label="Slug"
        maxLength={200}
        fault={faults['slug']}
        value={slug}
        onChange={({ target }) => setSlug(target.value)}
      />
      <Button type="submit" busy={fetching}>
        Create category
      </Button>
      {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
    </form>
  );
}

function Edit({ category, onDone }: { category: StaffCategoryFragment; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [, remove] = useMutation(DELETE);
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState(NO_FAULTS);
  const current = { name: category.name, slug: category.slug };
  const editing = useEditing(current, category.updatedAt);
  const { draft, overtaken } = editing;
  const { totalCount = 0, totalCountPrecision } = category.products ?? {};
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const input = { id: category.id, expectedUpdatedAt: editing.version, ...changesOf(draft, current) };
    const result = await update({ input });
    const payload = result.data?.categoryUpdate;
    const isConflict = payload?.errors.some((error) => 'subject' in error) === true;
    setFaults(isConflict ? NO_FAULTS : faultsOf(result));
    if (payload?.category != null) {
      const { name, slug, updatedAt } = payload.category;
      editing.saved({ name, slug }, updatedAt);
    }
    setBusy(false);
  }
  const others = faultsBeside(faults, isField);
  return (
    <section className="panel" aria-label={category.name}>
      <form
        className="category-form"
        onSubmit={(event) => void submit(event)}
        noValidate
        aria-label={`Category ${category.name}`}
      >
        <Field
          label="Name"
          required
          maxLength={200}
          fault={faults['name']}
          value={draft.name}
          onChange={({ target }) => editing.set({ name: target.value })}
        />
        <Field
          label="Slug"
          required
          maxLength={200}
          fault={faults['slug']}
          value={draft.slug}
          onChange={({ target }) => editing.set({ slug: target.value })}
        />
        <Button type="submit" look="second" busy={busy} disabled={!editing.isDirty || (overtaken.length > 0 && !busy)}>
          Save
        </Button>
        {overtaken.length > 0 && !busy && (
          <Overtaken
            what="category"
            fields={overtaken.map((field) => [field === 'name' ? 'Name' : 'Slug', current[field]])}
            onDiscard={editing.discard}
            onKeep={editing.rebase}
          />
        )}
        {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
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

import { useState } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { Named } from './promotion-draft.ts';

const PRODUCTS = graphql(`
  query StaffPromotionProducts($filter: ProductFilter) {
    products(filter: $filter, first: 8) {
      nodes {
        id
        title
      }
    }
  }
`);

const CATEGORIES = graphql(`
  query StaffPromotionCategories {
    categories(first: 100) {
      nodes {
        id
        name
      }
    }
  }
`);

/** Rows that are chosen, each with a button that takes it out again. */
function Chosen({ rows, onRemove }: { rows: readonly Named[]; onRemove: (id: string) => void }) {
  if (rows.length === 0) return null;
  return (
    <ul className="row">
      {rows.map(({ id, name }) => (
        <li key={id}>
          <Button look="second" className="button-small" aria-label={`Remove ${name}`} onClick={() => onRemove(id)}>
            {name} ×
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** A choice of products, which are found by their titles. */
export function ProductPicker({
  label,
  chosen,
  onChange,
}: {
  label: string;
  chosen: readonly Named[];
  onChange: (chosen: readonly Named[]) => void;
}) {
  const [search, setSearch] = useState('');
  return (
    <div className="promotion-picker">
      <Field
        label={label}
        type="search"
        maxLength={200}
        placeholder="Find by title"
        value={search}
        onChange={({ target }) => setSearch(target.value)}
      />
      {search.trim() !== '' && (
        <Found
          search={search}
          without={chosen}
          onChoose={(product) => {
            onChange([...chosen, product]);
            setSearch('');
          }}
        />
      )}
      <Chosen rows={chosen} onRemove={(id) => onChange(chosen.filter((row) => row.id !== id))} />
    </div>
  );
}

function Found({
  search,
  without,
  onChoose,
}: {
  search: string;
  without: readonly Named[];
  onChoose: (product: Named) => void;
}) {
  const [{ data }] = usePage(PRODUCTS, { filter: { search } });
  const products = (data?.products?.nodes ?? []).filter(({ id }) => !without.some((row) => row.id === id));
  return (
    <ul className="row" aria-label="Found products">
      {products.map(({ id, title }) => (
        <li key={id}>
          <Button look="plain" onClick={() => onChoose({ id, name: title })}>
            {title}
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** A choice of categories. */
export function CategoryPicker({
  label,
  chosen,
  onChange,
}: {
  label: string;
  chosen: readonly Named[];
  onChange: (chosen: readonly Named[]) => void;
}) {
  const [{ data }] = usePage(CATEGORIES, {});
  const others = (data?.categories?.nodes ?? []).filter(({ id }) => !chosen.some((row) => row.id === id));
  const rows = [...chosen, ...others];
  if (rows.length === 0) return null;
  return (
    <fieldset className="promotion-choices">
      <legend>{label}</legend>
      {rows.map(({ id, name }) => (
        <label key={id} className="promotion-choice">
          <input
            type="checkbox"
            checked={chosen.some((row) => row.id === id)}
            onChange={({ target }) =>
              onChange(target.checked ? [...chosen, { id, name }] : chosen.filter((row) => row.id !== id))
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

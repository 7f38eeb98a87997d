import { lazy, Suspense, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { ProductFilter } from '../../generated/graphql.ts';
import { Icon } from '../../shared/components/icon.tsx';
import { useMedia } from '../../shared/use-media.ts';
import { valueOrder } from '../../shared/value-order.ts';
import { Check, Counted, Group, NONE } from './choice.tsx';
import { useFacets, type Count } from './facets.ts';
import { clear, optionParam, optionsIn, toggle, type Edit } from './narrowing.ts';
import { Prices } from './price-filter.tsx';
import './filters.css';

const FiltersSheet = lazy(() => import('./filters-sheet.tsx'));

const MOST_TAGS = 14;
const MOST_VALUES = 12;
const inOrder = valueOrder(navigator.languages);

type Facets = ReturnType<typeof useFacets>;

/** The address's parameters, and a way to change some of them that leaves no step in the history. */
export function useNarrowing(): [URLSearchParams, Edit] {
  const [params, setParams] = useSearchParams();
  const edit: Edit = (change) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        change(next);
        return next;
      },
      { replace: true },
    );
  return [params, edit];
}

interface FiltersProps {
  category: string | undefined;
  filter: ProductFilter;
  /** How many filters are set. */
  chosen: number;
  /** How many products are found, in words. */
  found: string;
}

/** What narrows a list of products. Every choice is part of the address. On small screens in a drawer. */
export function Filters({ category, filter, chosen, found }: FiltersProps) {
  const [params, edit] = useNarrowing();
  const facets = useFacets(filter);
  const small = useMedia('(max-width: 60rem)');
  const [open, setOpen] = useState(false);
  // Loaded when it is opened first, and there from then on, so that it can be seen to close.
  const [opened, setOpened] = useState(false);
  const body = <Body category={category} facets={facets} params={params} edit={edit} />;
  return (
    <aside className="filters" aria-label="Filters">
      <div className="filters-always">
        <label className="filters-sort">
          <span>Sort by</span>
          <select
            className="select"
            value={params.get('sort') ?? ''}
            onChange={({ target }) =>
              edit((next) => (target.value === '' ? next.delete('sort') : next.set('sort', target.value)))
            }
          >
            <option value="">{params.has('q') ? 'Best match' : 'Newest first'}</option>
            {params.has('q') && <option value="new">Newest first</option>}
            <option value="cheap">Price, lowest first</option>
            <option value="dear">Price, highest first</option>
            <option value="title">Name</option>
          </select>
        </label>
        {small && (
          <button
            type="button"
            className="button button-second"
            aria-haspopup="dialog"
            aria-expanded={open}
            onClick={() => {
              setOpen(true);
              setOpened(true);
            }}
          >
            <Icon name="filter" size={18} /> Filters
            {chosen > 0 && (
              <span className="filters-chosen number">
                {chosen}
                <span className="visually-hidden"> chosen</span>
              </span>
            )}
          </button>
        )}
      </div>
      {small
        ? opened && (
            <Suspense fallback={null}>
              <FiltersSheet
                open={open}
                onClose={() => setOpen(false)}
                found={found}
                onClear={chosen > 0 ? () => edit(clear) : null}
              >
                {body}
              </FiltersSheet>
            </Suspense>
          )
        : body}
    </aside>
  );
}

function Body({
  category,
  facets,
  params,
  edit,
}: {
  category: string | undefined;
  facets: Facets;
  params: URLSearchParams;
  edit: Edit;
}) {
  const { inStock, lowStock, priceRanges = [], options = [], tags = [] } = facets?.productFacets ?? {};
  const flip = (name: string) => edit((next) => (next.has(name) ? next.delete(name) : next.set(name, '1')));
  return (
    <>
      <Categories category={category} facets={facets} params={params} />
      <div>
        <Check label="In stock" count={inStock} checked={params.has('stock')} onChange={() => flip('stock')} />
        <Check label="Nearly gone" count={lowStock} checked={params.has('low')} onChange={() => flip('low')} />
      </div>
      {withChosen(options, params).map(({ name, values }) => (
        <Group key={name} legend={name} most={MOST_VALUES}>
          {values.map(({ value, ...count }) => (
            <Check
              key={value}
              label={value}
              count={count}
              checked={params.getAll(optionParam(name)).includes(value)}
              onChange={() => edit((next) => toggle(next, optionParam(name), value))}
            />
          ))}
        </Group>
      ))}
      <Prices ranges={priceRanges} params={params} edit={edit} />
      <Tags tags={tags} params={params} edit={edit} />
    </>
  );
}

function Categories({
  category,
  facets,
  params,
}: {
  category: string | undefined;
  facets: Facets;
  params: URLSearchParams;
}) {
  const keep = params.size === 0 ? '' : `?${params}`;
  const counts = new Map(facets?.productFacets?.categories.map((each) => [each.category?.slug, each]));
  return (
    <nav aria-label="Categories">
      <ul className="filters-list">
        <li>
          <Link href={`/products${keep}`} aria-current={category === undefined ? 'page' : undefined}>
            Everything
          </Link>
        </li>
        {facets?.categories?.nodes.map(({ id, slug, name }) => (
          <li key={id}>
            <Link href={`/categories/${slug}${keep}`} aria-current={category === slug ? 'page' : undefined}>
              {name}
            </Link>
            <Counted count={counts.get(slug) ?? NONE} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The options with their values in order; those that are chosen are there even where nothing has them any more. */
function withChosen(
  options: readonly { name: string; values: readonly (Count & { value: string })[] }[],
  params: URLSearchParams,
) {
  const found = new Map(
    options.map(({ name, values }) => [name, new Map(values.map((value) => [value.value, value]))]),
  );
  for (const { name, values } of optionsIn(params)) {
    const known = found.get(name) ?? new Map<string, Count & { value: string }>();
    for (const value of values) if (!known.has(value)) known.set(value, { value, ...NONE });
    found.set(name, known);
  }
  return [...found].map(([name, values]) => ({
    name,
    values: [...values.values()].toSorted((one, other) => inOrder(one.value, other.value)),
  }));
}

function Tags({
  tags,
  params,
  edit,
}: {
  tags: readonly (Count & { tag: string })[];
  params: URLSearchParams;
  edit: Edit;
}) {
  const chosen = params.getAll('tag');
  const counts = new Map(tags.map((each) => [each.tag, each]));
  // The most common ones, by name: they do not change places as long as they are there.
  const common = tags.slice(0, MOST_TAGS).map(({ tag }) => tag);
  const shown = [...new Set([...chosen, ...common])].toSorted(inOrder);
  if (shown.length === 0) return null;
  return (
    <fieldset className="filters-group">
      <legend>Tags</legend>
      <div className="filters-tags">
        {shown.map((tag) => (
          <button
            key={tag}
            type="button"
            aria-pressed={chosen.includes(tag)}
            onClick={() => edit((next) => toggle(next, 'tag', tag))}
          >
            {tag} <Counted count={counts.get(tag)} />
          </button>
        ))}
      </div>
    </fieldset>
  );
}

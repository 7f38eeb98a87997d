import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { Icon } from '../../shared/components/icon.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import './filters.css';

const CATEGORIES = graphql(`
  query FilterCategories {
    categories(first: 50) {
      nodes {
        id
        slug
        name
      }
    }
  }
`);

const MOST_TAGS = 14;

/** What narrows a list of products. Every choice is part of the address. */
export function Filters({ category, tags }: { category: string | undefined; tags: readonly string[] }) {
  const [params, setParams] = useSearchParams();
  const [{ data }] = usePage(CATEGORIES, {});
  const chosen = params.getAll('tag');
  const change = (edit: (next: URLSearchParams) => void) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        edit(next);
        return next;
      },
      { replace: true },
    );
  const set = (name: string, value: string) =>
    change((next) => (value === '' ? next.delete(name) : next.set(name, value)));
  const keep = params.size === 0 ? '' : `?${params}`;
  const narrowed = ['tag', 'stock', 'min', 'max'].some((name) => params.has(name));
  const [open, setOpen] = useState(false);
  return (
    <aside className="filters" aria-label="Filters">
      <div className="filters-always">
        <label className="filters-sort">
          <span>Sort by</span>
          <select
            className="select"
            value={params.get('sort') ?? ''}
            onChange={({ target }) => set('sort', target.value)}
          >
            <option value="">{params.has('q') ? 'Best match' : 'Newest first'}</option>
            {params.has('q') && <option value="new">Newest first</option>}
            <option value="cheap">Price, lowest first</option>
            <option value="dear">Price, highest first</option>
            <option value="title">Name</option>
          </select>
        </label>
        <button
          type="button"
          className="button button-second filters-open"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon name="filter" size={18} /> Filters
        </button>
      </div>
      <div className={`filters-body ${open ? 'filters-body-open' : ''}`}>
        <nav aria-label="Categories">
          <ul className="filters-list">
            <li>
              <Link href={`/products${keep}`} aria-current={category === undefined ? 'page' : undefined}>
                Everything
              </Link>
            </li>
            {data?.categories?.nodes.map(({ id, slug, name }) => (
              <li key={id}>
                <Link href={`/categories/${slug}${keep}`} aria-current={category === slug ? 'page' : undefined}>
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <label className="filters-check">
          <input
            type="checkbox"
            checked={params.has('stock')}
            onChange={({ target }) => set('stock', target.checked ? '1' : '')}
          />
          <span>In stock</span>
        </label>
        <fieldset>
          <legend>Price</legend>
          <div className="filters-price">
            <PriceField label="From" value={params.get('min') ?? ''} onChange={(value) => set('min', value)} />
            <PriceField label="To" value={params.get('max') ?? ''} onChange={(value) => set('max', value)} />
          </div>
        </fieldset>
        <TagFilter
          tags={tags}
          chosen={chosen}
          onToggle={(tag) =>
            change((next) => {
              next.delete('tag');
              const others = chosen.filter((each) => each !== tag);
              for (const each of chosen.includes(tag) ? others : [...chosen, tag]) next.append('tag', each);
            })
          }
        />
        {narrowed && (
          <button
            type="button"
            className="button button-plain"
            onClick={() => change((next) => ['tag', 'stock', 'min', 'max'].forEach((name) => next.delete(name)))}
          >
            Clear filters
          </button>
        )}
      </div>
    </aside>
  );
}

/** Tells of a price when it is left or confirmed: half a number finds nothing. */
function PriceField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [last, setLast] = useState(value);
  if (value !== last) {
    setLast(value);
    setText(value);
  }
  const tell = () => onChange(text.trim().replace(',', '.'));
  return (
    <label>
      <span className="visually-hidden">{label}</span>
      <input
        className="select number"
        inputMode="decimal"
        placeholder={label}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onBlur={tell}
        onKeyDown={({ key }) => key === 'Enter' && tell()}
      />
    </label>
  );
}

function TagFilter({
  tags,
  chosen,
  onToggle,
}: {
  tags: readonly string[];
  chosen: readonly string[];
  onToggle: (tag: string) => void;
}) {
  const shown = [...new Set([...chosen, ...tags.toSorted()])].slice(0, MOST_TAGS);
  if (shown.length === 0) return null;
  return (
    <fieldset>
      <legend>Tags</legend>
      <div className="filters-tags">
        {shown.map((tag) => (
          <button key={tag} type="button" aria-pressed={chosen.includes(tag)} onClick={() => onToggle(tag)}>
            {tag}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

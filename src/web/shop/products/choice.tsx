import { useState, type ReactNode } from 'react';
import { countOf, type Count } from './facets.ts';

/** Of what nothing is found. */
export const NONE: Count = { count: 0, countPrecision: 'EXACT' };

/** A number of products beside a choice. */
export function Counted({ count }: { count: Count | undefined }) {
  if (count === undefined) return null;
  return (
    <span className="filters-count number quiet">
      {countOf(count)}
      <span className="visually-hidden"> found</span>
    </span>
  );
}

/** A choice that is made or not. */
export function Check({
  label,
  count,
  checked,
  onChange,
}: {
  label: string;
  count: Count | undefined;
  checked: boolean;
  onChange: () => void;
}) {
  return (
    <label className={`filters-check ${count?.count === 0 && !checked ? 'filters-none' : ''}`}>
      <input type="checkbox" checked={checked} onChange={onChange} />
      <span>{label}</span>
      <Counted count={count} />
    </label>
  );
}

/** A group of choices, the first few of them until more are asked for. */
export function Group({ legend, most, children }: { legend: string; most: number; children: readonly ReactNode[] }) {
  const [all, setAll] = useState(false);
  return (
    <fieldset className="filters-group">
      <legend>{legend}</legend>
      {all ? children : children.slice(0, most)}
      {!all && children.length > most && (
        <button type="button" className="button button-plain" onClick={() => setAll(true)}>
          {children.length - most} more
        </button>
      )}
    </fieldset>
  );
}

import { useState } from 'react';
import { formatMoney } from '../../shared/format.ts';
import { Check } from './choice.tsx';
import type { useFacets } from './facets.ts';
import { priceInWords, type Edit } from './narrowing.ts';

type Facets = ReturnType<typeof useFacets>;
type Ranges = NonNullable<NonNullable<Facets>['productFacets']>['priceRanges'];

/** Prices by ranges, each with its number of products, and to be typed. */
export function Prices({ ranges, params, edit }: { ranges: Ranges; params: URLSearchParams; edit: Edit }) {
  const set = (values: { min: string; max: string }) =>
    edit((next) => {
      for (const [name, value] of Object.entries(values)) {
        if (value === '') next.delete(name);
        else next.set(name, value);
      }
    });
  const [min, max] = [params.get('min') ?? '', params.get('max') ?? ''];
  return (
    <fieldset className="filters-group">
      <legend>Price</legend>
      {ranges.length > 1 &&
        ranges.map((range) => {
          const [from, to] = [range.min?.amount ?? '', range.max?.amount ?? ''];
          const isSet = from === min && to === max;
          return (
            <Check
              key={`${from}-${to}`}
              label={priceInWords(
                range.min == null ? null : formatMoney(range.min),
                range.max == null ? null : formatMoney(range.max),
              )}
              count={range}
              checked={isSet}
              onChange={() => set(isSet ? { min: '', max: '' } : { min: from, max: to })}
            />
          );
        })}
      <div className="filters-price">
        <PriceField label="From" value={min} onChange={(value) => set({ min: value, max })} />
        <PriceField label="To" value={max} onChange={(value) => set({ min, max: value })} />
      </div>
    </fieldset>
  );
}

/** Reports a price on blur and on Enter: a number that is half typed would find nothing. */
function PriceField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [last, setLast] = useState(value);
  if (value !== last) {
    setLast(value);
    setText(value);
  }
  const report = () => {
    const next = text.trim().replace(',', '.');
    if (next !== value) onChange(next);
  };
  return (
    <label>
      <span className="visually-hidden">{label}</span>
      <input
        className="select number"
        inputMode="decimal"
        placeholder={label}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onBlur={report}
        onKeyDown={({ key }) => key === 'Enter' && report()}
      />
    </label>
  );
}

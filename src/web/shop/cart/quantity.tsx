import { Icon } from '../../shared/components/icon.tsx';
import './quantity.css';

/** A number of units, with a button for one less and one for one more. */
export function Quantity({
  value,
  most,
  least = 1,
  busy = false,
  label,
  onChange,
}: {
  value: number;
  most: number;
  least?: number;
  busy?: boolean;
  /** What is counted. */
  label: string;
  onChange: (value: number) => void;
}) {
  const step = (to: number) => !busy && to >= least && to <= most && onChange(to);
  return (
    <div className="quantity" role="group" aria-label={label}>
      <button
        type="button"
        aria-label={value <= 1 && least === 0 ? 'Remove' : 'One less'}
        aria-disabled={busy || value <= least}
        onClick={() => step(value - 1)}
      >
        <Icon name={value <= 1 && least === 0 ? 'close' : 'minus'} size={18} />
      </button>
      <output className="number" aria-live="polite">
        {value}
      </output>
      <button type="button" aria-label="One more" aria-disabled={busy || value >= most} onClick={() => step(value + 1)}>
        <Icon name="plus" size={18} />
      </button>
    </div>
  );
}

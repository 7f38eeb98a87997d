import { useEffect, useRef } from 'react';
import { formatCount } from '../../shared/format.ts';
import './live-number.css';

/** A number that glows for a moment when it changes under the reader's eyes. */
export function LiveNumber({ value }: { value: number }) {
  const element = useRef<HTMLSpanElement>(null);
  const shown = useRef(value);
  useEffect(() => {
    if (shown.current === value) return;
    shown.current = value;
    const { current } = element;
    current?.classList.remove('live-number-changed');
    // Forces a layout, so that an animation that is still running starts over.
    void current?.offsetWidth;
    current?.classList.add('live-number-changed');
  }, [value]);
  return (
    <span ref={element} className="number live-number" data-testid="stock">
      {formatCount(value)}
    </span>
  );
}

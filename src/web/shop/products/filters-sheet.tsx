import type { ReactNode } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Drawer } from '../../shared/components/drawer.tsx';

/** The filters on small screens, in a drawer, with a way back to what they find. */
export default function FiltersSheet({
  open,
  onClose,
  onClear,
  found,
  children,
}: {
  open: boolean;
  onClose: () => void;
  /** Null: there is nothing to clear. */
  onClear: (() => void) | null;
  /** How many products are found, in words; empty while it is not known. */
  found: string;
  children: ReactNode;
}) {
  return (
    <Drawer open={open} onClose={onClose} title="Filters">
      <div className="filters filters-sheet">{children}</div>
      <div className="filters-foot">
        {onClear !== null && (
          <Button look="second" onClick={onClear}>
            Clear all
          </Button>
        )}
        <Button onClick={onClose}>{found === '' ? 'Show products' : `Show ${found}`}</Button>
      </div>
    </Drawer>
  );
}

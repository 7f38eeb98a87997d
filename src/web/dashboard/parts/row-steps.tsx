import type { ReactNode } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Ask } from '../catalogue/archive.tsx';
import './row-steps.css';

/** What can be done with a row of a table: edit and delete it. */
export function RowSteps({
  name,
  confirm,
  warning,
  onEdit,
  remove,
}: {
  /** Names the row to screen readers. */
  name: string;
  confirm: string;
  warning: ReactNode;
  onEdit: () => void;
  remove: Parameters<typeof Ask>[0]['step'];
}) {
  return (
    <div className="row row-steps">
      <Button look="second" className="button-small" aria-label={`Edit ${name}`} onClick={onEdit}>
        Edit
      </Button>
      <Ask what="Delete" label={`Delete ${name}`} confirm={confirm} warning={warning} step={remove} />
    </div>
  );
}

import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';

/** Says that somebody else has changed what is being edited, and asks which version is to count. */
export function Overtaken({
  what,
  fields,
  onDiscard,
  onKeep,
}: {
  /** Such as `product`. */
  what: string;
  /** Names of the fields that the other person has changed, and their new values, in words. */
  fields: readonly (readonly [string, string])[];
  onDiscard: () => void;
  onKeep: () => void;
}) {
  return (
    <Notice tone="bad">
      <p>Somebody else changed this {what} while you were editing. Your changes have not been saved.</p>
      <dl className="facts">
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>{name} now</dt>
            <dd>{value === '' ? 'empty' : value}</dd>
          </div>
        ))}
      </dl>
      <div className="row">
        <Button look="second" onClick={onDiscard}>
          Discard my changes
        </Button>
        <Button look="second" onClick={onKeep}>
          Keep my changes
        </Button>
      </div>
    </Notice>
  );
}

import type { ReactNode } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { faultsBeside, type Faults } from './faults.ts';
import { Overtaken } from './overtaken.tsx';
import type { EditEntry, Entry } from './use-entry.ts';

/** The messages that no field of a form shows. */
export function FaultsBeside({ faults, isShown }: { faults: Faults; isShown: (field: string) => boolean }) {
  const messages = faultsBeside(faults, isShown);
  return messages.length === 0 ? null : <Notice tone="bad">{messages.join(' ')}</Notice>;
}

/** Names a field of an object, and gives its present value in words, for people who decide between two versions of it. */
export type FieldInWords<Draft extends object> = (field: keyof Draft & string) => readonly [string, string];

/** Says what somebody else has changed in the object that a form edits, and asks which version counts. */
export function EditConflict<Draft extends object>({
  entry: { overtaken, discard, rebase },
  what,
  inWords,
}: {
  entry: EditEntry<Draft>;
  /** Such as `product`. */
  what: string;
  inWords: FieldInWords<Draft>;
}) {
  if (overtaken.length === 0) return null;
  return <Overtaken what={what} fields={overtaken.map(inWords)} onDiscard={discard} onKeep={rebase} />;
}

interface FormProps<Draft extends object, Kind extends Entry<Draft>> {
  entry: Kind;
  label: string;
  /** Words of the button. */
  submit: string;
  className?: string;
  /** Whether a field of the form shows the message about a field of the input. */
  isShown: (field: string) => boolean;
  /** The fields. */
  children: ReactNode;
}

/** A form for a new object. */
export function NewForm<Draft extends object>({
  entry,
  label,
  submit,
  className = 'entry-form',
  isShown,
  children,
}: FormProps<Draft, Entry<Draft>>) {
  return (
    <form className={className} onSubmit={entry.submit} noValidate aria-label={label}>
      {children}
      <FaultsBeside faults={entry.faults} isShown={isShown} />
      <div>
        <Button type="submit" busy={entry.busy}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

/** A form that edits an object, with what others change in it meanwhile. */
export function EditForm<Draft extends object>({
  entry,
  label,
  submit,
  className = 'entry-form',
  isShown,
  what,
  inWords,
  children,
}: FormProps<Draft, EditEntry<Draft>> & { what: string; inWords: FieldInWords<Draft> }) {
  return (
    <form className={className} onSubmit={entry.submit} noValidate aria-label={label}>
      {children}
      <EditConflict entry={entry} what={what} inWords={inWords} />
      <FaultsBeside faults={entry.faults} isShown={isShown} />
      {entry.isSaved && <Notice tone="good">Saved.</Notice>}
      <div className="row">
        <Button type="submit" busy={entry.busy} disabled={!entry.isDirty || entry.overtaken.length > 0}>
          {submit}
        </Button>
        {entry.isDirty && (
          <Button look="second" onClick={entry.discard}>
            Undo
          </Button>
        )}
      </div>
    </form>
  );
}

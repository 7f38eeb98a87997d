import { useState, type FormEvent, type ReactNode } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';

export interface FormField {
  name: string;
  label: string;
  type?: string;
  autoComplete?: string;
  hint?: string;
}

/** A form of a few fields and one button. Faults of a field stand beside it, others above the button. */
export function SmallForm({
  fields,
  action,
  busy,
  fault,
  faults = {},
  initial = {},
  onSubmit,
  children,
}: {
  fields: readonly FormField[];
  /** What the button says. */
  action: string;
  busy: boolean;
  fault: string | null;
  faults?: Readonly<Record<string, string | null>>;
  initial?: Readonly<Record<string, string>>;
  onSubmit: (values: Record<string, string>) => void;
  children?: ReactNode;
}) {
  const [values, setValues] = useState<Record<string, string>>({ ...initial });
  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit(Object.fromEntries(fields.map(({ name }) => [name, values[name] ?? ''])));
  }
  return (
    <form className="stack" onSubmit={submit} noValidate>
      {fields.map(({ name, ...field }) => (
        <Field
          key={name}
          {...field}
          name={name}
          required
          value={values[name] ?? ''}
          fault={faults[name]}
          onChange={({ target }) => setValues({ ...values, [name]: target.value })}
        />
      ))}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <Button type="submit" busy={busy}>
        {action}
      </Button>
      {children}
    </form>
  );
}

import { useId, type ComponentProps } from 'react';

/** A field of several lines, with its label and error message. */
export function TextArea({
  label,
  fault,
  hint,
  ...rest
}: ComponentProps<'textarea'> & { label: string; fault?: string | null | undefined; hint?: string }) {
  const id = useId();
  const described = [hint === undefined ? '' : `${id}-hint`, fault == null ? '' : `${id}-fault`]
    .filter(Boolean)
    .join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {rest.required !== true && <span className="field-optional"> optional</span>}
      </label>
      <textarea
        rows={6}
        {...rest}
        id={id}
        aria-invalid={fault == null ? undefined : true}
        aria-describedby={described || undefined}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="field-hint">
          {hint}
        </p>
      )}
      {fault != null && (
        <p id={`${id}-fault`} className="field-fault">
          {fault}
        </p>
      )}
    </div>
  );
}

import { useId, type ComponentProps } from 'react';
import './field.css';

export interface FieldProps extends ComponentProps<'input'> {
  label: string;
  /** What to know before typing. */
  hint?: string | undefined;
  /** What is wrong with what was typed. */
  fault?: string | null | undefined;
}

/** An input with its label, hint and error message, which screen readers announce, too. */
export function Field({ label, hint, fault, className = '', required, ...rest }: FieldProps) {
  const id = useId();
  const described = [hint === undefined ? '' : `${id}-hint`, fault == null ? '' : `${id}-fault`]
    .filter(Boolean)
    .join(' ');
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>
        {label}
        {required !== true && <span className="field-optional"> optional</span>}
      </label>
      <input
        {...rest}
        id={id}
        aria-required={required}
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

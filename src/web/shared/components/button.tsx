import type { ComponentProps } from 'react';
import './button.css';

export interface ButtonProps extends ComponentProps<'button'> {
  /** `plain` is a link in looks; `icon` a round button without words, which needs `aria-label`. */
  look?: 'primary' | 'second' | 'plain' | 'icon';
  /** What the button started is under way: it stays in the tab order and takes no further click. */
  busy?: boolean | undefined;
}

export function Button({
  look = 'primary',
  busy = false,
  className = '',
  type = 'button',
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={`button button-${look} ${className}`}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest.disabled || undefined}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    />
  );
}

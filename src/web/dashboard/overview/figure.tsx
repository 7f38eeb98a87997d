import type { ReactNode } from 'react';

/** A number that matters, with what explains it. */
export function Figure({ name, value, children }: { name: string; value: string; children: ReactNode }) {
  return (
    <section className="figure" aria-label={name}>
      <p className="quiet small">{name}</p>
      <p className="figure-value number" key={value}>
        {value}
      </p>
      <p className="small number">{children}</p>
    </section>
  );
}

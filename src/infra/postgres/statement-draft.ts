/** Adds a value to a statement and gives its placeholder. */
export type Parameter = (value: unknown) => string;

/** A statement whose SQL depends on what is asked for, while it is being put together: its values, in the order of their placeholders. */
export class StatementDraft {
  readonly values: unknown[] = [];
  readonly parameter: Parameter = (value) => `$${this.values.push(value)}`;

  /** SQL of conditions that must all hold. */
  where(conditions: readonly ((parameter: Parameter) => string)[]): string {
    return conditions.map((write) => write(this.parameter)).join(' AND ');
  }
}

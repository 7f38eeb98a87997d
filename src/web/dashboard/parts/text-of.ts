import { faultAt, type Faults } from './faults.ts';

/** What the fields of a form need: the draft, the messages about it, and how to change it. */
export interface FieldsProps<Draft extends object> {
  draft: Draft;
  faults: Faults;
  onChange: (changes: Partial<Draft>) => void;
}

type Texts<Draft> = { [Name in keyof Draft]: Draft[Name] extends string ? Name : never }[keyof Draft] & string;

/** The properties of the field that edits a text of a draft. */
export function textOf<Draft extends object>(
  { draft, faults, onChange }: FieldsProps<Draft>,
  name: Texts<Draft>,
): { fault: string | undefined; value: string; onChange: (event: { target: { value: string } }) => void } {
  return {
    fault: faultAt(faults, name),
    value: draft[name] as string,
    onChange: ({ target }) => onChange({ [name]: target.value } as unknown as Partial<Draft>),
  };
}

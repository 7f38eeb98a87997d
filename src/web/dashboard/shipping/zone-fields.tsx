import { Field } from '../../shared/components/field.tsx';
import { Choice } from '../parts/choice.tsx';
import { TextArea } from '../parts/text-area.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import type { ZoneDraft } from './zone-draft.ts';

const SHOWN = new Set(['name', 'countries', 'regions', 'postalPrefixes']);

/** Whether the form shows a message at this field of the input. */
export const isZoneField = (field: string): boolean => SHOWN.has(field.split('.')[0] ?? '');

/** The fields of a zone. */
export function ZoneFields(props: FieldsProps<ZoneDraft>) {
  const { draft, onChange } = props;
  return (
    <>
      <Field label="Name" required maxLength={100} hint="Only staff see it." {...textOf(props, 'name')} />
      <TextArea
        label="Countries"
        rows={2}
        hint="Codes, separated by commas, such as DE, AT."
        {...textOf(props, 'countries')}
      />
      <div className="product-pair">
        <Field label="Regions" hint="Such as US-CA, US-NY." {...textOf(props, 'regions')} />
        <Field
          label="Beginnings of postal codes"
          hint="With their country, such as DE-10, DE-12."
          {...textOf(props, 'postalPrefixes')}
        />
      </div>
      <Choice
        label="Rest of the world"
        hint="Covers all addresses that no other zone covers."
        checked={draft.isRestOfWorld}
        onChange={(isRestOfWorld) => onChange({ isRestOfWorld })}
      />
      <Choice
        label="Home zone"
        hint="Its taxes count as long as a cart has no address, in place of those of any other zone."
        checked={draft.isHome}
        onChange={(isHome) => onChange({ isHome })}
      />
    </>
  );
}

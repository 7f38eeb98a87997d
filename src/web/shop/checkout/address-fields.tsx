import { useId } from 'react';
import type { AddressInput, ShopFaultFragment } from '../../generated/graphql.ts';
import { Field } from '../../shared/components/field.tsx';
import { faultOf } from '../components/fault.ts';
import { countries } from './countries.ts';

/** Where an order goes. */
export function AddressFields({
  address,
  errors,
  onChange,
}: {
  address: AddressInput;
  errors: readonly ShopFaultFragment[];
  onChange: (address: AddressInput) => void;
}) {
  const id = useId();
  const field = (name: keyof AddressInput, label: string, autoComplete: string, required = true) => (
    <Field
      label={label}
      name={name}
      autoComplete={autoComplete}
      required={required}
      value={address[name] ?? ''}
      fault={faultOf(errors, name)}
      className={`address-${name}`}
      onChange={({ target }) => onChange({ ...address, [name]: target.value })}
    />
  );
  return (
    <div className="address">
      {field('name', 'Full name', 'shipping name')}
      {field('line1', 'Street and number', 'shipping address-line1')}
      {field('line2', 'Apartment, floor, company', 'shipping address-line2', false)}
      {field('postalCode', 'Postal code', 'shipping postal-code')}
      {field('city', 'Town', 'shipping address-level2')}
      {field('region', 'State or province', 'shipping address-level1', false)}
      <div className="field address-countryCode">
        <label htmlFor={id}>Country</label>
        <select
          id={id}
          className="select"
          autoComplete="shipping country"
          value={address.countryCode}
          onChange={({ target }) => onChange({ ...address, countryCode: target.value })}
        >
          {countries.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

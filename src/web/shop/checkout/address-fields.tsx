import { useId, type ReactNode } from 'react';
import type { AddressInput, ShopFaultFragment } from '../../generated/graphql.ts';
import { Field } from '../../shared/components/field.tsx';
import { faultOf } from '../components/fault.ts';
import { PARTS, type AddressFormat, type AddressPart } from './address-format.ts';
import { countries } from './countries.ts';

const AUTO_COMPLETE: Readonly<Record<AddressPart, string>> = {
  name: 'shipping name',
  line1: 'shipping address-line1',
  line2: 'shipping address-line2',
  city: 'shipping address-level2',
  region: 'shipping address-level1',
  postalCode: 'shipping postal-code',
};

/** Where an order goes: the country, and the fields that addresses of the country have. */
export function AddressFields({
  address,
  format,
  errors,
  onChange,
}: {
  address: AddressInput;
  format: AddressFormat;
  errors: readonly ShopFaultFragment[];
  onChange: (address: AddressInput) => void;
}) {
  return (
    <div className="address">
      <Choice
        label="Country"
        className="address-countryCode"
        autoComplete="shipping country"
        value={address.countryCode}
        fault={faultOf(errors, 'countryCode')}
        // A region of another country would be in the way.
        onChange={(countryCode) => onChange({ ...address, countryCode, region: '' })}
      >
        {countries.map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </Choice>
      {format.fields.map(({ name: field, label, isRequired }) => {
        const name = PARTS[field];
        const common = {
          label,
          className: `address-${name}`,
          autoComplete: AUTO_COMPLETE[name],
          value: address[name] ?? '',
          fault: faultOf(errors, name),
        };
        if (name === 'region' && format.regions.length > 0) {
          return (
            <Choice key={name} {...common} onChange={(region) => onChange({ ...address, region })}>
              <option value="">{isRequired ? 'Choose' : 'None'}</option>
              {format.regions.map(({ code, name: region }) => (
                <option key={code} value={code}>
                  {region}
                </option>
              ))}
            </Choice>
          );
        }
        return (
          <Field
            key={name}
            {...common}
            name={name}
            required={isRequired}
            onChange={({ target }) => onChange({ ...address, [name]: target.value })}
          />
        );
      })}
    </div>
  );
}

function Choice({
  label,
  className,
  fault,
  onChange,
  children,
  ...rest
}: {
  label: string;
  className: string;
  autoComplete: string;
  value: string;
  fault: string | null;
  onChange: (value: string) => void;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      <select
        {...rest}
        id={id}
        className="select"
        aria-invalid={fault === null ? undefined : true}
        aria-describedby={fault === null ? undefined : `${id}-fault`}
        onChange={({ target }) => onChange(target.value)}
      >
        {children}
      </select>
      {fault !== null && (
        <p id={`${id}-fault`} className="field-fault">
          {fault}
        </p>
      )}
    </div>
  );
}

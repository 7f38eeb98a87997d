import { useState } from 'react';
import { useMutation } from 'urql';
import type { SavedAddressFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { countryName } from '../checkout/countries.ts';
import '../checkout/saved-addresses.tsx';
import { faultInWords } from '../components/fault.ts';

const DELETE = graphql(`
  mutation AccountAddressDelete($id: ID!) {
    addressDelete(input: { id: $id }) {
      deletedId
      errors {
        ...ShopFault
      }
    }
  }
`);

const SET_DEFAULT = graphql(`
  mutation AccountDefaultAddressSet($id: ID!) {
    defaultAddressSet(input: { id: $id }) {
      address {
        ...SavedAddress
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** The addresses that the shopper has saved. They are added at the checkout. */
export function AddressBook({
  addresses,
  onChange,
}: {
  addresses: readonly SavedAddressFragment[];
  onChange: () => void;
}) {
  const [, remove] = useMutation(DELETE);
  const [, setDefault] = useMutation(SET_DEFAULT);
  const [fault, setFault] = useState<string | null>(null);
  if (addresses.length === 0) return null;
  function done(words: string | null) {
    setFault(words);
    if (words === null) onChange();
  }
  async function makeDefault(id: string) {
    const { data, error } = await setDefault({ id });
    done(faultInWords(data?.defaultAddressSet?.errors, error));
  }
  async function forget(id: string) {
    const { data, error } = await remove({ id });
    done(faultInWords(data?.addressDelete?.errors, error));
  }
  return (
    <section aria-labelledby="account-addresses">
      <h2 id="account-addresses">Addresses</h2>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <ul className="account-list">
        {addresses.map(({ id, isDefault, address }) => {
          const [name = '', ...lines] = address.formatted;
          const place = [...lines, countryName(address.countryCode)].join(', ');
          return (
            <li key={id}>
              <span>
                {name}
                {isDefault && <span className="quiet small"> (filled in at the checkout)</span>}
                <br />
                <span className="quiet small">{place}</span>
              </span>
              <span>
                {!isDefault && (
                  <Button
                    look="plain"
                    aria-label={`Fill in ${place} at the checkout`}
                    onClick={() => void makeDefault(id)}
                  >
                    Use by default
                  </Button>
                )}
                <Button look="plain" aria-label={`Delete ${place}`} onClick={() => void forget(id)}>
                  Delete
                </Button>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

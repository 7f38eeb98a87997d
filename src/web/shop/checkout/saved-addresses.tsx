import { useMutation, useQuery } from 'urql';
import type { AddressInput, SavedAddressFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';

graphql(`
  fragment SavedAddress on UserAddress {
    id
    isDefault
    address {
      name
      line1
      line2
      city
      region
      postalCode
      countryCode
      formatted
    }
  }
`);

const ADDRESSES = graphql(`
  query ShopSavedAddresses {
    me {
      id
      addresses {
        ...SavedAddress
      }
    }
  }
`);

const SAVE = graphql(`
  mutation ShopAddressSave($address: AddressInput!) {
    addressCreate(input: { address: $address }) {
      address {
        ...SavedAddress
      }
      errors {
        code
        message
      }
    }
  }
`);

const PARTS = ['name', 'line1', 'line2', 'city', 'region', 'postalCode', 'countryCode'] as const;

type Parts = Readonly<Partial<Record<(typeof PARTS)[number], string | null | undefined>>>;

/** Whether two addresses are written alike. */
export function isSameAddress(one: Parts, other: Parts): boolean {
  return PARTS.every((part) => (one[part] ?? '').trim() === (other[part] ?? '').trim());
}

/** An address of the shop's as a form edits it. */
export function toInput(address: Parts): AddressInput {
  return Object.fromEntries(PARTS.map((part) => [part, address[part] ?? ''])) as unknown as AddressInput;
}

/**
 * The address book of the shopper.
 * @param isUser whether somebody is logged in; guests have no address book
 */
export function useSavedAddresses(isUser: boolean) {
  const [{ data, fetching }] = useQuery({
    query: ADDRESSES,
    pause: !isUser,
    requestPolicy: 'cache-and-network',
  });
  const [, save] = useMutation(SAVE);
  return {
    loading: isUser && data === undefined && fetching,
    addresses: isUser ? (data?.me?.addresses ?? []) : [],
    /** Adds an address to the book. What is refused here, such as an address too many, is in the way of no order. */
    async save(address: AddressInput): Promise<void> {
      await save({ address });
    },
  };
}

/** The addresses that the shopper has used before, to choose one of them or to enter another one. */
export function SavedAddresses({
  addresses,
  chosen,
  onChoose,
}: {
  addresses: readonly SavedAddressFragment[];
  /** The ID of the one that is filled in, or null for another address. */
  chosen: string | null;
  onChoose: (entry: SavedAddressFragment | null) => void;
}) {
  return (
    <fieldset className="saved-addresses">
      <legend>Your addresses</legend>
      {addresses.map((entry) => (
        <label key={entry.id}>
          <input type="radio" name="saved-address" checked={chosen === entry.id} onChange={() => onChoose(entry)} />
          <span>
            <strong>{entry.address.name}</strong>
            <span className="quiet small">{entry.address.formatted.slice(1).join(', ')}</span>
          </span>
        </label>
      ))}
      <label>
        <input type="radio" name="saved-address" checked={chosen === null} onChange={() => onChoose(null)} />
        <span>Another address</span>
      </label>
    </fieldset>
  );
}

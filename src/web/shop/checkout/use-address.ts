import { useState } from 'react';
import type { AddressInput, CartPricesFragment } from '../../generated/graphql.ts';
import { inputOf, isComplete, useAddressFormat } from './address-format.ts';
import { likelyCountry } from './countries.ts';
import { isSameAddress, toInput, useSavedAddresses } from './saved-addresses.tsx';

/** An address of which nothing is known but the country that the visitor is likely to be in. */
export const emptyAddress = (countryCode: string = likelyCountry): AddressInput => toInput({ countryCode });

/**
 * The address that an order is to be sent to. Until the shopper enters one it is that of the cart, else the default one of the
 * address book.
 */
export function useAddress(cart: Pick<CartPricesFragment, 'shippingAddress'> | null, isUser: boolean) {
  const saved = useSavedAddresses(isUser);
  const [entered, setEntered] = useState<AddressInput | null>(null);
  const [isToBeSaved, setToBeSaved] = useState(false);
  const known = cart?.shippingAddress ?? saved.addresses.find(({ isDefault }) => isDefault)?.address;
  const address = entered ?? (known == null ? emptyAddress() : toInput(known));
  const format = useAddressFormat(address.countryCode);
  // The form of the last country stays until that of the next one is there.
  const isCurrent = format.countryCode === address.countryCode;
  const chosen = saved.addresses.find((entry) => isSameAddress(entry.address, address)) ?? null;
  return {
    address,
    format,
    saved: saved.addresses,
    chosen,
    isToBeSaved: isToBeSaved && chosen === null,
    setToBeSaved,
    set: setEntered,
    /** What the shop is to be sent; null while something that the country requires is missing. */
    complete: isCurrent && isComplete(format, address) ? inputOf(format, address) : null,
    /** What has been entered so far. */
    input: isCurrent ? inputOf(format, address) : address,
    /** Adds the address to the address book, if the shopper wants it to. */
    keep: () => (isToBeSaved && chosen === null ? saved.save(inputOf(format, address)) : Promise.resolve()),
  };
}

import { useState } from 'react';
import { useMutation } from 'urql';
import type { AddressInput, CartPricesFragment, ShopFaultFragment } from '../../generated/graphql.ts';
import { graphql } from '../../shared/graphql.ts';
import '../cart/cart-prices.ts';
import { isSameAddress } from './saved-addresses.tsx';

const SET_ADDRESS = graphql(`
  mutation ShopCartShippingAddressSet($address: AddressInput!) {
    cartShippingAddressSet(input: { address: $address }) {
      cart {
        id
        total {
          amount
          currencyCode
        }
        ...CartPrices
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const SET_METHOD = graphql(`
  mutation ShopCartShippingMethodSet($methodId: ID!) {
    cartShippingMethodSet(input: { methodId: $methodId }) {
      cart {
        id
        total {
          amount
          currencyCode
        }
        ...CartPrices
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** A fault of the address, as the form of the checkout looks for it. */
function asOfCheckout(fault: ShopFaultFragment): ShopFaultFragment {
  const [part, ...rest] = fault.path ?? [];
  return part === 'address' ? { ...fault, path: ['shippingAddress', ...rest] } : fault;
}

/** The address and the method of a cart, kept by the shop as soon as they are there, so that shipping and tax have prices. */
export function useShipping() {
  const [{ fetching: settingAddress }, setAddress] = useMutation(SET_ADDRESS);
  const [{ fetching: settingMethod }, setMethod] = useMutation(SET_METHOD);
  const [errors, setErrors] = useState<readonly ShopFaultFragment[]>([]);
  const [sent, setSent] = useState('');
  return {
    busy: settingAddress || settingMethod,
    errors,
    /** Sends an address that is complete, unless the shop knows it. @returns whether prices may have changed by it */
    async keepAddress(cart: Pick<CartPricesFragment, 'shippingAddress'>, address: AddressInput): Promise<boolean> {
      const text = JSON.stringify(address);
      if (text === sent || (cart.shippingAddress != null && isSameAddress(cart.shippingAddress, address))) return false;
      setSent(text);
      const { data } = await setAddress({ address });
      setErrors((data?.cartShippingAddressSet?.errors ?? []).map(asOfCheckout));
      return true;
    },
    async choose(methodId: string): Promise<void> {
      const { data } = await setMethod({ methodId });
      setErrors(data?.cartShippingMethodSet?.errors ?? []);
    },
  };
}

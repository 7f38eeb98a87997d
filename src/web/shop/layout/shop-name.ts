import { createContext, useContext } from 'react';

/** The shop's name, from the title of the first answer until the API has told it. */
export const ShopName = createContext(document.title.split(' · ').at(-1) ?? '');
export const useShopName = (): string => useContext(ShopName);

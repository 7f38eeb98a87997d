import { createContext, useContext } from 'react';

/** The shop's name, taken from the title of the document until the API responds. */
export const ShopName = createContext(document.title.split(' · ').at(-1) ?? '');
export const useShopName = (): string => useContext(ShopName);

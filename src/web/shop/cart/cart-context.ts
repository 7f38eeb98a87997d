import { createContext, useContext } from 'react';
import type { useCart } from './cart-state.ts';

export type Viewer = ReturnType<typeof useCart>;

/** Who is looking, and their cart; read and followed once, by the layout. */
export const CartContext = createContext<Viewer>({
  cart: null,
  me: null,
  shopName: null,
  loading: true,
  error: undefined,
});
export const useViewer = (): Viewer => useContext(CartContext);

import { builder } from '../../graphql/schema/builder.ts';
import type { Cart, CartLine } from './cart.service.ts';

/** A cart. */
export const CartRef = builder.objectRef<Cart>('Cart');

/** So many units of a variant at one price. */
export const CartLineRef = builder.objectRef<CartLine>('CartLine');

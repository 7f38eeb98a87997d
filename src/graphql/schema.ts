import './scalars.ts';
import './money.ts';
import './node.ts';
import './root.ts';
import './user-errors.ts';
import '../modules/catalog/category.graphql.ts';
import '../modules/catalog/product.graphql.ts';
import '../modules/catalog/product-variant.graphql.ts';
import '../modules/catalog/products.graphql.ts';
import '../modules/accounts/user.graphql.ts';
import '../modules/accounts/entry-mutations.graphql.ts';
import '../modules/accounts/session-mutations.graphql.ts';
import '../modules/inventory/stock-changed.graphql.ts';
import '../modules/cart/cart.graphql.ts';
import '../modules/cart/cart-mutations.graphql.ts';
import '../modules/orders/order.graphql.ts';
import '../modules/orders/order-lookup.graphql.ts';
import '../modules/orders/checkout.graphql.ts';
import '../modules/orders/user-orders.graphql.ts';
import { builder } from './builder.ts';
import { throttled } from './throttled-mutations.ts';

/** The whole schema. Each noun adds its part by being imported. */
export const schema = throttled(builder.toSchema());

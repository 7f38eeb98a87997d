/* What other modules need of orders in the API. */

export { buy, handOver, NEW_CART_TOKEN, RENEW_CART_TOKEN, renewingGuest, toRequest } from './checkout.graphql.ts';
export { OrderRef } from './order.graphql.ts';
export { orderPayload } from './order-payload.graphql.ts';
export { grant, grantOf } from './order-rights.graphql.ts';

/* What other modules need of orders in the API. */

export { buy, toRequest } from './checkout.graphql.ts';
export { OrderRef } from './order.graphql.ts';
export { orderPayload } from './order-payload.graphql.ts';
export { grant, grantOf } from './order-rights.graphql.ts';

import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerUserError, UserErrorRef } from '../../graphql/schema/user-errors.ts';
import { InvalidTransitionError, TotalChangedError } from './order.errors.ts';
import { OrderStatusRef } from './orders.refs.graphql.ts';

registerUserError(TotalChangedError, 'TotalChangedError');
builder.objectType(TotalChangedError, {
  name: 'TotalChangedError',
  description: 'The total is not what the caller expected. Nothing was bought.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    expected: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Total expected by the caller.',
      resolve: (error) => error.expected,
    }),
    actual: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Actual total of the cart.',
      resolve: (error) => error.actual,
    }),
  }),
});

registerUserError(InvalidTransitionError, 'InvalidTransitionError');
builder.objectType(InvalidTransitionError, {
  name: 'InvalidTransitionError',
  description: 'The order cannot change from its current status to the requested one. Nothing was changed.',
  interfaces: [UserErrorRef],
  fields: (t) => ({
    from: t.expose('from', { type: OrderStatusRef, nullable: false, description: 'Current status of the order.' }),
    to: t.expose('to', { type: OrderStatusRef, nullable: false, description: 'Requested status.' }),
  }),
});

import { builder } from '../../graphql/schema/builder.ts';
import { promotionStatuses, type Promotion } from './promotion.types.ts';

/** A discount that staff have set up. */
export const PromotionRef = builder.objectRef<Promotion>('Promotion');

/** How a promotion comes to apply. */
export const PromotionTriggerRef = builder.enumType('PromotionTrigger', {
  description: 'How a promotion comes to apply.',
  values: {
    AUTOMATIC: { description: 'The promotion applies to every cart that meets its conditions.' },
    CODE: { description: 'The promotion applies if the customer enters one of its codes.' },
  },
} as const);

/** Part of the price that a promotion reduces. */
export const PromotionScopeRef = builder.enumType('PromotionScope', {
  description: 'Part of the price that a promotion reduces.',
  values: {
    LINES: { description: 'Each line that the promotion targets.' },
    ORDER: { description: 'The sum of the lines that the promotion targets, after promotions of lines.' },
    SHIPPING: { description: 'The price of shipping.' },
  },
} as const);

/** How a promotion reduces prices. */
export const PromotionKindRef = builder.enumType('PromotionKind', {
  description: 'How a promotion reduces prices.',
  values: {
    PERCENT: { description: 'By a percentage.' },
    FIXED_EACH: { description: 'By a fixed amount for each unit. Only with the scope LINES.' },
    FIXED_ACROSS: { description: 'By a fixed amount in all, shared out among the lines.' },
    FREE: { description: 'To nothing.' },
    BUY_X_GET_Y: { description: 'By a percentage of some units if others are bought. Only with the scope LINES.' },
  },
} as const);

/** Where a promotion is in its life. */
export const PromotionStatusRef = builder.enumType('PromotionStatus', {
  description: 'Status of a promotion, by the clock of the database.',
  values: Object.fromEntries(
    Object.entries(promotionStatuses).map(([status, description]) => [status, { description }]),
  ) as Record<keyof typeof promotionStatuses, { description: string }>,
});

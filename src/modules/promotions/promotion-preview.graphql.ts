import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { orErrors } from '../../graphql/schema/user-errors.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import { because, parseInput } from '../input.ts';
import {
  AppliedDiscountRef,
  CartDiscountCodeRef,
  discountsOf,
  TaxLineRef,
  taxLinesOf,
} from '../pricing/pricing.refs.graphql.ts';
import { Refusal } from '../user-error.ts';
import type { PromotionPreview } from './preview.ts';
import { PromotionCreateInputRef, withRowIds } from './promotion-fields.graphql.ts';
import { country, parseNewPromotion } from './promotion-input.ts';

const MAX_LINES = 100;
const MAX_QUANTITY = 10_000;

type Amounts = Pick<
  PromotionPreview['quote'],
  'subtotalMinor' | 'discountMinor' | 'shippingMinor' | 'taxMinor' | 'totalMinor'
>;

const PreviewLineRef = builder.objectRef<{ preview: PromotionPreview; id: string }>('PromotionPreviewLine').implement({
  description: 'A line of the example cart of a preview. Staff only.',
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'Variant of the line.',
      resolve: ({ preview, id }) => preview.variants.get(id)?.variant ?? null,
    }),
    quantity: t.int({
      nullable: false,
      description: 'Number of units.',
      resolve: ({ preview, id }) => preview.variants.get(id)?.quantity ?? 0,
    }),
    subtotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of the units before discounts.',
      resolve: (line) => ({ minor: lineOf(line).totalMinor, currency: line.preview.quote.currency }),
    }),
    discountTotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Sum of the discounts on the line.',
      resolve: (line) => ({ minor: lineOf(line).discountMinor, currency: line.preview.quote.currency }),
    }),
    discountedTotal: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Price of the units after discounts.',
      resolve: (line) => ({ minor: lineOf(line).discountedMinor, currency: line.preview.quote.currency }),
    }),
  }),
});

function lineOf({ preview, id }: { preview: PromotionPreview; id: string }) {
  const line = preview.quote.lines.find((one) => one.id === id);
  if (line === undefined) throw new Error('a quote lacks a line of its cart');
  return line;
}

/** Discounts by title; the promotion that is previewed has no code yet. */
function discounts({ quote, promotionId }: PromotionPreview, of: 'discounts' | 'shippingDiscounts') {
  return discountsOf(
    quote[of].map((one) => (one.promotionId === promotionId ? { ...one, code: null } : one)),
    quote.currency,
  );
}

const PreviewRef = builder.objectRef<PromotionPreview>('PromotionPreview').implement({
  description: 'Prices of an example cart with a promotion that is not stored. Staff only.',
  fields: (t) => {
    const money = (amount: keyof Amounts, description: string) =>
      t.field({
        type: MoneyRef,
        nullable: false,
        description,
        resolve: ({ quote }) => ({ minor: quote[amount], currency: quote.currency }),
      });
    return {
      outcome: t.field({
        type: CartDiscountCodeRef,
        nullable: true,
        description:
          'Whether the promotion applies to the example cart, and if not, why. `code` is the title of the promotion.',
        resolve: ({ quote, promotionId }) => quote.codes.find((code) => code.promotionId === promotionId) ?? null,
      }),
      lines: t.field({
        type: [PreviewLineRef],
        nullable: false,
        description: 'Lines of the cart, in the order of the input.',
        resolve: (preview) => [...preview.variants.keys()].map((id) => ({ preview, id })),
      }),
      subtotal: money('subtotalMinor', 'Sum of the lines, before discounts.'),
      discounts: t.field({
        type: [AppliedDiscountRef],
        nullable: false,
        description: 'Discounts on the lines, those of promotions that are active now among them.',
        resolve: (preview) => discounts(preview, 'discounts'),
      }),
      discountTotal: money('discountMinor', 'Sum of `discounts`.'),
      shippingDiscounts: t.field({
        type: [AppliedDiscountRef],
        nullable: false,
        description: 'Discounts on the price of shipping.',
        resolve: (preview) => discounts(preview, 'shippingDiscounts'),
      }),
      shippingTotal: money(
        'shippingMinor',
        'Price of shipping after discounts. 0 without a country, or if several shipping methods are available.',
      ),
      taxes: t.field({
        type: [TaxLineRef],
        nullable: false,
        description: 'Tax on lines and shipping, by rate.',
        resolve: ({ quote }) => taxLinesOf(quote.taxes, quote.currency),
      }),
      taxTotal: money('taxMinor', 'Sum of `taxes`.'),
      pricesIncludeTax: t.boolean({
        nullable: false,
        description: 'Whether the amounts contain the tax.',
        resolve: ({ quote }) => quote.pricesIncludeTax,
      }),
      total: money('totalMinor', 'Amount to pay.'),
    };
  },
});

const PreviewLineInputRef = builder.inputType('PromotionPreviewLineInput', {
  description: 'A line of an example cart.',
  fields: (t) => ({
    variantId: t.id({ required: true, description: 'Global ID of the variant.' }),
    quantity: t.int({
      required: true,
      description: `Number of units, at most ${MAX_QUANTITY.toLocaleString('en')}. Stock does not matter.`,
    }),
  }),
});

const PreviewInputRef = builder.inputType('PromotionPreviewInput', {
  description: 'Input of `promotionPreview`.',
  fields: (t) => ({
    promotion: t.field({
      type: PromotionCreateInputRef,
      required: true,
      description:
        'Promotion as it would be created. Window, customers and codes are checked, but do not affect the preview.',
    }),
    lines: t.field({
      type: [PreviewLineInputRef],
      required: true,
      description: `Lines of the example cart, from 1 to ${MAX_LINES}.`,
    }),
    countryCode: t.string({
      description:
        'ISO 3166-1 alpha-2 code of the country to which the cart is shipped. Without it, there is no shipping.',
    }),
  }),
});

const example = z.object({
  countryCode: country.nullish().transform((code) => code ?? null),
  lines: z
    .array(
      z.object({
        variantId: z.string(),
        quantity: z
          .int()
          .min(1, 'must be greater than 0')
          .max(MAX_QUANTITY, `must be at most ${MAX_QUANTITY.toLocaleString('en')}`),
      }),
    )
    .max(MAX_LINES, `must have at most ${MAX_LINES} entries`)
    .refine((lines) => lines.length > 0, because('REQUIRED', 'must not be empty')),
});

/** Runs what checks a part of the input; the paths of its faults begin at that part. */
function within<T>(part: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      ...error.errors.map(
        (fault) =>
          Object.create(fault, { path: { value: [part, ...(fault.path ?? [])], enumerable: true } }) as typeof fault,
      ),
    );
  }
}

const PreviewPayloadRef = payloadType<{ preview: PromotionPreview }>('PromotionPreviewPayload');
builder.objectField(PreviewPayloadRef, 'preview', (t) =>
  t.field({
    type: PreviewRef,
    nullable: true,
    description: 'Prices of the example cart. Null if the input is invalid.',
    resolve: (payload) => payload.preview ?? null,
  }),
);

builder.mutationField('promotionPreview', (t) =>
  t.field({
    type: PreviewPayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Computes what an example cart would cost if a promotion were active together with those that are active now. Stores ' +
      'nothing. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PreviewInputRef, required: true, description: 'Promotion and example cart.' }) },
    resolve: (_root, { input }, ctx) =>
      orErrors(async () => {
        const { lines, countryCode } = parseInput(example, input);
        const cart = {
          countryCode,
          lines: lines.map(({ variantId, quantity }, index) => ({
            variantId: inputId('ProductVariant', variantId, ['lines', String(index), 'variantId']),
            quantity,
          })),
        };
        const promotion = within('promotion', () => parseNewPromotion(withRowIds(input.promotion), ctx.shop.currency));
        return { preview: await ctx.services.promotions.preview(promotion, cart) };
      }),
  }),
);

import { v7 as uuid } from 'uuid';
import type { CatalogService, ProductVariant } from '../catalog/catalog.service.ts';
import type { PricingService, PromotionRow, Quote } from '../pricing/pricing.service.ts';
import { GenericError, Refusal } from '../user-error.ts';
import type { NewPromotion } from './promotion.types.ts';

/** An example cart. */
export interface ExampleCart {
  lines: readonly { variantId: string; quantity: number }[];
  /** Country of the shipping address; null: none. */
  countryCode: string | null;
}

/** What an example cart costs with a promotion that is stored nowhere. */
export interface PromotionPreview {
  quote: Quote;
  /** The ID under which the quote knows the promotion. */
  promotionId: string;
  /** By line of the quote. */
  variants: ReadonlyMap<string, { variant: ProductVariant; quantity: number }>;
}

function rowOf(id: string, { terms }: NewPromotion): PromotionRow {
  const { amountMinor, minSubtotalMinor, budgetMinor, ...rest } = terms;
  return {
    ...rest,
    id,
    amountMinor: amountMinor?.toString() ?? null,
    minSubtotalMinor: minSubtotalMinor?.toString() ?? null,
    budgetMinor: budgetMinor?.toString() ?? null,
    // The example cart is nobody's: what depends on who buys is left aside.
    customerIds: [],
    startsAt: 0,
    endsAt: null,
  };
}

/** Wires previews: a quote of the module of prices, at the present prices of the variants. */
export function createPreview(deps: {
  catalog: Pick<CatalogService, 'variantsByIds'>;
  prices: () => Pick<PricingService, 'preview'>;
}) {
  return async (promotion: NewPromotion, { lines, countryCode }: ExampleCart): Promise<PromotionPreview> => {
    const found = new Map(
      (await deps.catalog.variantsByIds(lines.map(({ variantId }) => variantId))).map((v) => [v.id, v]),
    );
    const variants = new Map<string, { variant: ProductVariant; quantity: number }>();
    const faults: GenericError[] = [];
    for (const [index, { variantId, quantity }] of lines.entries()) {
      const variant = found.get(variantId);
      if (variant === undefined) {
        faults.push(new GenericError('NOT_FOUND', 'Variant not found.', ['lines', String(index), 'variantId']));
      } else {
        variants.set(uuid(), { variant, quantity });
      }
    }
    if (faults.length > 0) throw new Refusal(...faults);
    const promotionId = uuid();
    const cart = {
      lines: [...variants].map(([id, { variant, quantity }]) => ({
        id,
        variantId: variant.id,
        quantity,
        unitPriceMinor: variant.priceMinor,
      })),
      userId: null,
      email: null,
      discountCodes: [],
      shippingAddress: countryCode === null ? null : { countryCode, region: null, postalCode: '' },
      shippingMethodId: null,
    };
    const quote = await deps.prices().preview(cart, rowOf(promotionId, promotion));
    return { quote, promotionId, variants };
  };
}

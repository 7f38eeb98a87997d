/** A band of a shipping method: it counts from a value on, and below another. */
export interface ShippingRate {
  id: string;
  methodId: string;
  basis: 'WEIGHT' | 'SUBTOTAL';
  /** Grams, or minor units of the discounted goods. */
  fromValue: bigint;
  /** Null: no end. */
  toValue: bigint | null;
  priceMinor: bigint;
}

/** A shipping method, as staff set it up. */
export interface ShippingMethod {
  id: string;
  zoneId: string;
  title: string;
  description: string | null;
  /** In words, such as `2 to 4 working days`. */
  deliveryEstimate: string | null;
  /** Null: taxed in proportion to the goods. */
  taxCategoryId: string | null;
  /** Discounted goods of this much ship for nothing; null: never. */
  freeFromMinor: bigint | null;
  /** Methods are offered in this order. */
  position: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A band that is to be written. */
export type NewShippingRate = Omit<ShippingRate, 'id' | 'methodId'>;

/** The fields of a zone that staff enter. */
export interface ZoneFields {
  name: string;
  countries: readonly string[];
  regions: readonly string[];
  postalPrefixes: readonly string[];
  isRest: boolean;
  isHome: boolean;
}

/** The fields of a method that staff enter. */
export interface MethodFields {
  title: string;
  description: string | null;
  deliveryEstimate: string | null;
  taxCategoryId: string | null;
  freeFromMinor: bigint | null;
  position: number;
  /** Replace all bands that the method had. */
  rates: readonly NewShippingRate[];
}

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
  position: number;
}

/** What a line of a cart or an order says of its price. */
export interface PricedLine {
  quantity: number;
  /** Price of one unit, in minor units of the cart's or order's currency. */
  unitPriceMinor: number;
}

/** What lines come to. Amounts are in minor units. */
export interface Totals {
  /** Number of units. */
  quantity: number;
  /** Sum of the line totals. */
  subtotalMinor: bigint;
}

/** What a line comes to, in minor units: the price of one unit times the number of units. Exact for every amount. */
export function lineTotalMinor({ quantity, unitPriceMinor }: PricedLine): bigint {
  return BigInt(unitPriceMinor) * BigInt(quantity);
}

/** Adds lines up, before discounts, shipping and tax. What a cart costs is up to `quote`. */
export function totalsOf(lines: readonly PricedLine[]): Totals {
  let quantity = 0;
  let subtotalMinor = 0n;
  for (const line of lines) {
    quantity += line.quantity;
    subtotalMinor += lineTotalMinor(line);
  }
  return { quantity, subtotalMinor };
}

/** What a line of an order comes to before discounts: without the tax that was taken out of its price. */
export function totalOfLine(line: PricedLine & { reliefMinor: bigint }): bigint {
  return lineTotalMinor(line) - line.reliefMinor;
}

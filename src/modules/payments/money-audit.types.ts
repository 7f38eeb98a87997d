/** A rule of the books of money that an order breaks. Amounts are minor units. */
export interface MoneyDiscrepancy {
  orderId: string | null;
  rule: string;
  expected: bigint;
  actual: bigint;
}

/** What an audit of the ledger found. */
export interface MoneyAudit {
  checkedOrders: number;
  checkedAt: Date;
  discrepancies: MoneyDiscrepancy[];
  /** The first and the last order that were checked. */
  firstId: string | null;
  lastId: string | null;
  /** Whether there are orders that were not checked. */
  more: boolean;
}

import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import * as activity from './activity.repository.ts';
import * as sales from './sales.repository.ts';

export type { LiveCart, StockSummary } from './activity.repository.ts';
export type { CartConversion, PeriodSales, ProductSales, Sales, Span } from './sales.repository.ts';

/** Sums and counts for staff. Orders count by the time at which they were placed; cancelled ones do not count. */
export interface ReportService {
  now(): Promise<Date>;
  sales(span: sales.Span): Promise<sales.Sales>;
  /** @param timeZone IANA name of the time zone by whose clock periods begin */
  salesByPeriod(span: sales.Span, unit: sales.Period, timeZone: string): Promise<sales.PeriodSales[]>;
  productSales(span: sales.Span, page: PageRequest): Promise<Page<sales.ProductSales>>;
  productsSold(span: sales.Span): Promise<number>;
  cartConversion(span: sales.Span): Promise<sales.CartConversion>;
  stock(): Promise<activity.StockSummary>;
  orderCounts(): Promise<{ status: string; count: number }[]>;
  liveCarts(page: PageRequest): Promise<Page<activity.LiveCart>>;
  liveCartCount(): Promise<number>;
}

export function createReportService({ db }: { db: Database }): ReportService {
  return {
    now: () => readClock(db),
    sales: (span) => sales.findSales(db, span),
    salesByPeriod: (span, unit, timeZone) => sales.findSalesByPeriod(db, span, unit, timeZone),
    productSales: (span, page) => sales.findProductSales(db, span, page),
    productsSold: (span) => sales.countProductsSold(db, span),
    cartConversion: (span) => sales.findCartConversion(db, span),
    stock: () => activity.findStockSummary(db),
    orderCounts: () => activity.findOrderCounts(db),
    liveCarts: (page) => activity.findLiveCarts(db, page),
    liveCartCount: () => activity.countLiveCarts(db),
  };
}

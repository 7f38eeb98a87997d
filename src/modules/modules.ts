import { accountsModule } from './accounts/accounts.module.ts';
import { addressesModule } from './addresses/addresses.module.ts';
import { cartModule } from './cart/cart.module.ts';
import { catalogModule } from './catalog/catalog.module.ts';
import { contentfulModule } from './contentful/contentful.module.ts';
import { importsModule } from './imports/imports.module.ts';
import { inventoryModule } from './inventory/inventory.module.ts';
import { mailModule } from './mail/mail.module.ts';
import { exportsModule } from './exports/exports.module.ts';
import type { ShopModule } from './module.ts';
import { ordersModule } from './orders/orders.module.ts';
import { paymentProvidersModule } from './payments/payment-providers.module.ts';
import { paymentsModule } from './payments/payments.module.ts';
import { pricingModule } from './pricing/pricing.module.ts';
import { promotionsModule } from './promotions/promotions.module.ts';
import { reportsModule } from './reports/reports.module.ts';
import { shippingModule } from './shipping/shipping.module.ts';
import { staffModule } from './staff/staff.module.ts';
import { stockAlertsModule } from './stock-alerts/stock-alerts.module.ts';
import { taxModule } from './tax/tax.module.ts';
import { webhooksModule } from './webhooks/webhooks.module.ts';

/**
 * The modules of the shop. Services are made in this order, so a module comes after those whose services it is made of. What
 * is old is deleted in the reverse order: what refers to something goes before it.
 */
export const modules: readonly ShopModule[] = [
  staffModule,
  accountsModule,
  addressesModule,
  inventoryModule,
  catalogModule,
  taxModule,
  shippingModule,
  importsModule,
  cartModule,
  mailModule,
  stockAlertsModule,
  pricingModule,
  ordersModule,
  webhooksModule,
  paymentProvidersModule,
  paymentsModule,
  contentfulModule,
  promotionsModule,
  reportsModule,
  exportsModule,
];

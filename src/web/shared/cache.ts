import { cacheExchange, type Cache, type CacheExchangeOpts } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { possibleTypes } from './possible-types.ts';

/*
 * The normalised cache: an object is kept once, by its ID, and every place that shows it changes with it. So an event that names a
 * variant and its level changes the level on the page, in lists and in the cart.
 */

const none = () => null;
/** Types without an ID are part of the object that has them. */
const PARTS = [
  ...['Money', 'Image', 'PriceRange', 'ProductOption', 'SelectedOption', 'Address', 'Shop', 'PageInfo'],
  ...[
    'OrderStatusChange',
    'NotificationSettings',
    'AddressFormat',
    'AddressFormatField',
    'AddressRegion',
    'ErrorParameter',
  ],
  ...['SalesReport', 'Sales', 'SalesPeriod', 'ProductSales', 'CartConversion'],
  ...['PromotionCode', 'PromotionUsage', 'PromotionUsageSums', 'PromotionUsageDay', 'PromotionUsageCode'],
  ...['AppliedDiscount', 'CartDiscountCode', 'TaxLine', 'ShippingOption', 'ShippingRate'],
  ...['ShopActivity', 'StockSummary', 'OrderCount', 'LiveCart'],
  'ProductImportFinding',
  ...[
    'ProductFacets',
    'CategoryFacet',
    'TagFacet',
    'OptionFacet',
    'OptionValueFacet',
    'PriceRangeFacet',
    'ProductCount',
  ],
  ...['SystemHealth', 'RelayHealth', 'ConsumerHealth', 'QueueHealth', 'MailHealth'],
];

/** Makes the cart in a mutation result or an event the cart of the viewer. */
function linkCart(cache: Cache, cart: unknown): void {
  const { __typename, id, status } = (cart ?? {}) as { __typename?: string; id?: string; status?: string };
  if (__typename === undefined || id === undefined) return;
  cache.link('Query', 'cart', status === 'CHECKED_OUT' ? null : { __typename, id });
}

/** Has lists read again after a change whose effect on them is not known. */
function forget(cache: Cache, ...fields: string[]): void {
  for (const { fieldName, arguments: args } of cache.inspectFields('Query')) {
    if (fields.includes(fieldName)) cache.invalidate('Query', fieldName, args);
  }
}

/** Has the address book read again: its order depends on the default address. */
function forgetAddresses(cache: Cache): void {
  const me = cache.resolve('Query', 'me');
  if (typeof me === 'string') cache.invalidate(me, 'addresses');
}

const ofCart = (result: Record<string, unknown>, _: unknown, cache: Cache, info: { fieldName: string }) =>
  linkCart(cache, (result[info.fieldName] as { cart?: unknown } | null)?.cart);

const options: Partial<CacheExchangeOpts> = {
  possibleTypes,
  keys: Object.fromEntries(PARTS.map((name) => [name, none])),
  resolvers: {
    Query: { products: relayPagination() },
    User: { orders: relayPagination() },
  },
  updates: {
    Mutation: {
      cartLinesAdd: ofCart,
      cartLinesUpdate: ofCart,
      cartLinesRemove: ofCart,
      cartReclaim: ofCart,
      cartEmailSet: ofCart,
      cartCreate: ofCart,
      productCreate: (_result, _args, cache) => forget(cache, 'products'),
      productUpdate: (_result, _args, cache) => forget(cache, 'products'),
      productArchive: (_result, _args, cache) => forget(cache, 'products'),
      productImportCreate: (_result, _args, cache) => forget(cache, 'productImports'),
      categoryCreate: (_result, _args, cache) => forget(cache, 'categories'),
      categoryDelete: (_result, _args, cache) => forget(cache, 'categories', 'products'),
      promotionCreate: (_result, _args, cache) => forget(cache, 'promotions'),
      promotionDelete: (_result, _args, cache) => forget(cache, 'promotions', 'promotion'),
      addressCreate: (_result, _args, cache) => forgetAddresses(cache),
      addressDelete: (_result, _args, cache) => forgetAddresses(cache),
      defaultAddressSet: (_result, _args, cache) => forgetAddresses(cache),
      shippingZoneCreate: (_result, _args, cache) => forget(cache, 'shippingZones'),
      shippingZoneDelete: (_result, _args, cache) => forget(cache, 'shippingZones', 'node'),
      taxCategoryCreate: (_result, _args, cache) => forget(cache, 'taxCategories'),
      taxCategoryDelete: (_result, _args, cache) => forget(cache, 'taxCategories'),
      checkout: (result, _, cache) => {
        if ((result['checkout'] as { order?: unknown } | null)?.order != null) cache.link('Query', 'cart', null);
      },
    },
    Subscription: {
      cartChanged: (result, _, cache) => linkCart(cache, (result['cartChanged'] as { cart?: unknown } | null)?.cart),
      orderPlaced: (_result, _args, cache) => forget(cache, 'orders'),
    },
  },
};

/** The cache of a new client. */
export const createCache = () => cacheExchange(options);

import { pino } from 'pino';
import { createPostgresJobs } from '../../../src/jobs/postgres-backend.ts';
import { newEmail, newPerson, PASSWORD, resetToken } from '../../support/accounts.ts';
import { failedJobId, failJobs } from '../../support/failed-jobs.ts';
import { globalId, makeCategory, makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { setMail, writeMail } from '../../support/mails.ts';
import { makePromotion } from '../../support/promotions.ts';
import { rowId } from '../../support/shopper.ts';
import { waiterOf } from '../../support/stock-alerts.ts';
import { expireCart, fillCart, placeGuestOrder, placeOrder, variant, type Scene, type Who } from './world.ts';

/**
 * What becomes of it: it is done (or seen); nothing is there to be seen (null, and no error); or it is refused, as data
 * or in its place alone.
 */
export type Outcome = 'done' | 'hidden' | `refused ${string}` | 'UNAUTHENTICATED' | 'FORBIDDEN';

/** Who gets what from one operation, or from one field that is guarded. */
export interface Row {
  as: Record<Who, Outcome>;
  /** The root field as it is asked for, with what it selects. */
  ask: string;
  /** The operation's variables, as it declares them. */
  declare?: string;
  /** What it is about, made anew for each caller. */
  given?: (scene: Scene) => Promise<Record<string, unknown>>;
  /** Where in the root field's value the guarded one stands. */
  at?: string;
  /** Whether it changes the account or the sessions of the customer whose things are asked for, even where another caller does it. */
  changesOwner?: boolean;
}

const everyone: Row['as'] = { guest: 'done', customer: 'done', another: 'done', staff: 'done', admin: 'done' };
const users: Row['as'] = { ...everyone, guest: 'UNAUTHENTICATED' };
const staffOnly: Row['as'] = { ...users, customer: 'FORBIDDEN', another: 'FORBIDDEN' };
const adminOnly: Row['as'] = { ...staffOnly, staff: 'FORBIDDEN' };
/** The customer's things, which staff see too. */
const ownersAndStaffs: Row['as'] = { ...everyone, guest: 'hidden', another: 'hidden' };
/** The customer's things, which nobody else sees. */
const owners: Row['as'] = { ...ownersAndStaffs, staff: 'hidden', admin: 'hidden' };
/** Seen by staff; nobody else finds it. */
const staffs: Row['as'] = { ...ownersAndStaffs, customer: 'hidden' };
/** Fields for staff of what the customer sees. */
const staffsAlone: Row['as'] = { ...ownersAndStaffs, customer: 'FORBIDDEN' };
/** Such fields that are null. */
const staffsNull: Row['as'] = { ...staffsAlone, staff: 'hidden', admin: 'hidden' };
/** Another's cart has no lines that the caller could name. */
const ownersAlone: Row['as'] = {
  guest: 'refused NOT_FOUND',
  customer: 'done',
  another: 'refused NOT_FOUND',
  staff: 'refused NOT_FOUND',
  admin: 'refused NOT_FOUND',
};

const node = (type: string, selection: string) => `node(id: $id) { ... on ${type} { ${selection} } }`;
const ERRORS = 'errors { code }';
const credentials = async () => ({ email: newEmail(), password: PASSWORD, name: 'Ada' });

const newZone = ({ shop }: Scene) => {
  const cover = { countries: [], regions: [], postalPrefixes: [], isRest: false, isHome: true };
  return shop.app.services.shippingZones.create(null, { name: crypto.randomUUID(), ...cover });
};

const newTaxCategory = ({ shop }: Scene) =>
  shop.app.services.tax.createCategory(null, { code: `c${crypto.randomUUID()}`, name: 'Any', isDefault: false });

const keptZone = async (scene: Scene) => globalId('ShippingZone', (await newZone(scene)).id);

const keptTaxCategory = async (scene: Scene) => globalId('TaxCategory', (await newTaxCategory(scene)).id);

/** The global ID of a shipping method in a zone of its own. */
async function keptMethod(scene: Scene): Promise<string> {
  const zone = await newZone(scene);
  const method = await scene.shop.app.services.shipping.createMethod(null, zone.id, {
    title: 'Post',
    description: null,
    deliveryEstimate: null,
    taxCategoryId: null,
    freeFromMinor: null,
    position: 0,
    rates: [{ basis: 'WEIGHT', fromValue: 0n, toValue: null, priceMinor: 490n }],
  });
  return globalId('ShippingMethod', method.id);
}

/** The global ID of a tax rate, whose zone and category are its own. */
async function keptTaxRate(scene: Scene): Promise<string> {
  const zone = await newZone(scene);
  const category = await newTaxCategory(scene);
  const rate = { zoneId: zone.id, taxCategoryId: category.id, title: 'VAT', ratePpm: 190_000, validFrom: null };
  return globalId('TaxRate', (await scene.shop.app.services.tax.createRate(null, rate)).id);
}

const POSTAL_ADDRESS = {
  name: 'Ada',
  line1: '1 Street',
  line2: null,
  city: 'Berlin',
  region: null,
  postalCode: '10115',
  countryCode: 'DE',
};

/** The global ID of an address in the book of the customer. */
async function keptAddress({ shop, owner }: Scene): Promise<string> {
  const { id } = await shop.app.services.addressBook.create(rowId(owner.userId), POSTAL_ADDRESS, false);
  return globalId('UserAddress', id);
}

/** The rows of the schema's root fields. */
export const operations: Record<string, Row> = {
  'Mutation.sessionEnd': {
    as: { ...ownersAlone, guest: 'UNAUTHENTICATED' },
    ask: `sessionEnd(input: $input) { endedId ${ERRORS} }`,
    declare: '$input: SessionEndInput!',
    given: async ({ shop, owner }) => {
      const [session] = await shop.app.services.sessions.list(rowId(owner.userId));
      return { input: { id: globalId('Session', known(session).id) } };
    },
  },
  'Mutation.addressCreate': {
    as: users,
    ask: `addressCreate(input: $input) { address { id } ${ERRORS} }`,
    declare: '$input: AddressCreateInput!',
    given: async () => ({ input: { address: POSTAL_ADDRESS } }),
  },
  'Mutation.addressUpdate': {
    as: { ...ownersAlone, guest: 'UNAUTHENTICATED' },
    ask: `addressUpdate(input: $input) { address { id } ${ERRORS} }`,
    declare: '$input: AddressUpdateInput!',
    given: async (scene) => ({ input: { id: await keptAddress(scene), address: POSTAL_ADDRESS } }),
  },
  'Mutation.addressDelete': {
    as: { ...ownersAlone, guest: 'UNAUTHENTICATED' },
    ask: `addressDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: AddressDeleteInput!',
    given: async (scene) => ({ input: { id: await keptAddress(scene) } }),
  },
  'Mutation.defaultAddressSet': {
    as: { ...ownersAlone, guest: 'UNAUTHENTICATED' },
    ask: `defaultAddressSet(input: $input) { address { id } ${ERRORS} }`,
    declare: '$input: DefaultAddressSetInput!',
    given: async (scene) => ({ input: { id: await keptAddress(scene) } }),
  },
  'Query.shippingZones': { as: staffOnly, ask: 'shippingZones { id }' },
  'Query.taxCategories': { as: staffOnly, ask: 'taxCategories { id }' },
  'Mutation.shippingZoneCreate': {
    as: staffOnly,
    ask: `shippingZoneCreate(input: $input) { shippingZone { id } ${ERRORS} }`,
    declare: '$input: ShippingZoneCreateInput!',
    given: async () => ({ input: { name: crypto.randomUUID(), isHome: true } }),
  },
  'Mutation.shippingZoneUpdate': {
    as: staffOnly,
    ask: `shippingZoneUpdate(input: $input) { shippingZone { id } ${ERRORS} }`,
    declare: '$input: ShippingZoneUpdateInput!',
    given: async (scene) => ({ input: { id: await keptZone(scene), name: crypto.randomUUID() } }),
  },
  'Mutation.shippingZoneDelete': {
    as: staffOnly,
    ask: `shippingZoneDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: ShippingZoneDeleteInput!',
    given: async (scene) => ({ input: { id: await keptZone(scene) } }),
  },
  'Mutation.shippingMethodCreate': {
    as: staffOnly,
    ask: `shippingMethodCreate(input: $input) { shippingMethod { id } ${ERRORS} }`,
    declare: '$input: ShippingMethodCreateInput!',
    given: async (scene) => ({
      input: { zoneId: await keptZone(scene), title: 'Post', rates: [{ basis: 'WEIGHT', price: '1' }] },
    }),
  },
  'Mutation.shippingMethodUpdate': {
    as: staffOnly,
    ask: `shippingMethodUpdate(input: $input) { shippingMethod { id } ${ERRORS} }`,
    declare: '$input: ShippingMethodUpdateInput!',
    given: async (scene) => ({ input: { id: await keptMethod(scene), title: 'Courier' } }),
  },
  'Mutation.shippingMethodDelete': {
    as: staffOnly,
    ask: `shippingMethodDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: ShippingMethodDeleteInput!',
    given: async (scene) => ({ input: { id: await keptMethod(scene) } }),
  },
  'Mutation.taxCategoryCreate': {
    as: staffOnly,
    ask: `taxCategoryCreate(input: $input) { taxCategory { id } ${ERRORS} }`,
    declare: '$input: TaxCategoryCreateInput!',
    given: async () => ({ input: { code: `c${crypto.randomUUID()}`, name: 'Any' } }),
  },
  'Mutation.taxCategoryUpdate': {
    as: staffOnly,
    ask: `taxCategoryUpdate(input: $input) { taxCategory { id } ${ERRORS} }`,
    declare: '$input: TaxCategoryUpdateInput!',
    given: async (scene) => ({ input: { id: await keptTaxCategory(scene), name: 'Other' } }),
  },
  'Mutation.taxCategoryDelete': {
    as: staffOnly,
    ask: `taxCategoryDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: TaxCategoryDeleteInput!',
    given: async (scene) => ({ input: { id: await keptTaxCategory(scene) } }),
  },
  'Mutation.taxRateCreate': {
    as: staffOnly,
    ask: `taxRateCreate(input: $input) { taxRate { id } ${ERRORS} }`,
    declare: '$input: TaxRateCreateInput!',
    given: async (scene) => {
      const [zoneId, taxCategoryId] = [await keptZone(scene), await keptTaxCategory(scene)];
      return { input: { zoneId, taxCategoryId, title: 'VAT', percent: '7' } };
    },
  },
  'Mutation.taxRateUpdate': {
    as: staffOnly,
    ask: `taxRateUpdate(input: $input) { taxRate { id } ${ERRORS} }`,
    declare: '$input: TaxRateUpdateInput!',
    given: async (scene) => ({ input: { id: await keptTaxRate(scene), percent: '7' } }),
  },
  'Mutation.taxRateDelete': {
    as: staffOnly,
    ask: `taxRateDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: TaxRateDeleteInput!',
    given: async (scene) => ({ input: { id: await keptTaxRate(scene) } }),
  },
  'Mutation.userTaxExemptionSet': {
    as: staffOnly,
    ask: `userTaxExemptionSet(input: $input) { user { id } ${ERRORS} }`,
    declare: '$input: UserTaxExemptionSetInput!',
    given: async (scene) => ({ input: { userId: scene.owner.userId, exempt: true } }),
  },
  'Query.shop': { as: everyone, ask: 'shop { name }' },
  'Query.addressFormat': { as: everyone, ask: 'addressFormat(countryCode: "DE") { postalCodePattern }' },
  'Query.serverTime': { as: everyone, ask: 'serverTime' },
  'Query.eventCursor': { as: everyone, ask: 'eventCursor' },
  'Query.me': { as: { ...everyone, guest: 'hidden' }, ask: 'me { email }' },
  'Query.node': {
    as: ownersAndStaffs,
    ask: 'node(id: $id) { id }',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).id }),
  },
  'Query.nodes': {
    as: ownersAndStaffs,
    ask: 'nodes(ids: [$id]) { id }',
    at: '0',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).id }),
  },
  'Query.product': {
    as: everyone,
    ask: 'product(id: $id) { id }',
    declare: '$id: ID!',
    given: async ({ shop }) => ({ id: (await makeProduct(shop)).globalId }),
  },
  'Query.productVariant': {
    as: everyone,
    ask: 'productVariant(sku: $sku) { id }',
    declare: '$sku: String!',
    given: async ({ shop }) => ({ sku: (await makeVariant(shop)).sku }),
  },
  'Query.products': { as: everyone, ask: 'products(first: 1) { totalCount }' },
  'Query.productFacets': { as: everyone, ask: 'productFacets { tags { tag } }' },
  'Query.category': {
    as: everyone,
    ask: 'category(id: $id) { id }',
    declare: '$id: ID!',
    given: async ({ shop }) => ({ id: (await newCategory(shop)).globalId }),
  },
  'Query.categories': { as: everyone, ask: 'categories(first: 1) { totalCount }' },
  'Query.cart': {
    as: everyone,
    ask: 'cart { id }',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return {};
    },
  },
  'Query.order': {
    as: ownersAndStaffs,
    ask: 'order(id: $id) { id }',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).id }),
  },
  'Query.orders': { as: staffOnly, ask: 'orders { totalCount }' },
  'Query.paymentProviders': { as: everyone, ask: 'paymentProviders { id }' },
  'Query.payment': {
    as: ownersAndStaffs,
    ask: 'payment(id: $id) { id }',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await payOrder(scene)).id }),
  },
  'Query.payments': { as: staffOnly, ask: 'payments { totalCount }' },
  'Query.moneyAudit': { as: staffOnly, ask: 'moneyAudit { checkedOrders }' },
  'Query.users': { as: adminOnly, ask: 'users { totalCount }' },
  'Query.inventoryAudit': { as: staffOnly, ask: 'inventoryAudit { checkedVariants }' },
  'Query.webhookDeliveries': { as: staffOnly, ask: 'webhookDeliveries { totalCount }' },
  'Query.parkedEvents': { as: staffOnly, ask: 'parkedEvents { totalCount }' },
  'Query.failedJobs': { as: staffOnly, ask: 'failedJobs(queue: "cart-expiry") { totalCount }' },
  'Query.mails': { as: staffOnly, ask: 'mails { totalCount }' },
  'Query.systemHealth': { as: staffOnly, ask: 'systemHealth { mail { dueCount } queues { name } }' },
  'Query.productImports': { as: staffOnly, ask: 'productImports { totalCount }' },
  'Query.productVariants': { as: staffOnly, ask: 'productVariants { totalCount }' },
  'Query.salesReport': {
    as: staffOnly,
    ask: 'salesReport(from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z") { sales { orderCount } }',
  },
  'Query.shopActivity': { as: staffOnly, ask: 'shopActivity { stock { heldUnits } }' },
  'Query.staffActions': { as: staffOnly, ask: 'staffActions { totalCount }' },

  'Mutation.register': {
    as: everyone,
    ask: `register(input: $input) { user { email } ${ERRORS} }`,
    declare: '$input: RegisterInput!',
    given: async () => ({ input: await credentials() }),
  },
  'Mutation.login': {
    as: everyone,
    changesOwner: true,
    ask: `login(input: $input) { user { email } ${ERRORS} }`,
    declare: '$input: LoginInput!',
    given: async ({ owner }) => ({ input: { email: owner.email, password: PASSWORD } }),
  },
  'Mutation.refreshSession': {
    as: everyone,
    changesOwner: true,
    ask: `refreshSession(input: $input) { user { email } ${ERRORS} }`,
    declare: '$input: RefreshSessionInput!',
    given: async ({ owner }) => ({ input: { refreshToken: owner.refreshToken } }),
  },
  'Mutation.logout': { as: everyone, ask: `logout { loggedOut ${ERRORS} }` },
  'Mutation.passwordChange': {
    as: users,
    ask: `passwordChange(input: $input) { user { email } ${ERRORS} }`,
    declare: '$input: PasswordChangeInput!',
    given: async () => ({ input: { currentPassword: PASSWORD, newPassword: 'quite another password' } }),
  },
  'Mutation.emailVerify': {
    as: everyone,
    changesOwner: true,
    ask: `emailVerify(input: $input) { ${ERRORS} }`,
    declare: '$input: EmailVerifyInput!',
    given: async ({ shop, owner }) => ({
      input: { token: await shop.app.services.accounts.emailConfirmationToken(rowId(owner.userId)) },
    }),
  },
  'Mutation.emailVerifyRequest': { as: users, ask: `emailVerifyRequest { accepted ${ERRORS} }` },
  'Mutation.passwordResetRequest': {
    as: everyone,
    ask: `passwordResetRequest(input: $input) { accepted ${ERRORS} }`,
    declare: '$input: PasswordResetRequestInput!',
    given: async () => ({ input: { email: newEmail() } }),
  },
  'Mutation.passwordReset': {
    as: everyone,
    ask: `passwordReset(input: $input) { ${ERRORS} }`,
    declare: '$input: PasswordResetInput!',
    given: async ({ shop }) => ({
      input: { token: await resetToken(shop, (await newPerson(shop)).email), newPassword: 'quite another password' },
    }),
  },
  'Mutation.notificationSettingsUpdate': {
    as: users,
    ask: `notificationSettingsUpdate(input: { lowStock: false }) { user { email } ${ERRORS} }`,
  },
  'Mutation.userRoleUpdate': {
    as: adminOnly,
    ask: `userRoleUpdate(input: $input) { user { email } ${ERRORS} }`,
    declare: '$input: UserRoleUpdateInput!',
    given: async ({ shop }) => ({ input: { userId: (await newPerson(shop)).userId, role: 'STAFF' } }),
  },

  'Mutation.productCreate': {
    as: staffOnly,
    ask: `productCreate(input: $input) { product { id } ${ERRORS} }`,
    declare: '$input: ProductCreateInput!',
    given: async () => ({
      input: { title: 'Honey', variants: [{ sku: crypto.randomUUID(), price: '9.90', onHand: 3 }] },
    }),
  },
  'Mutation.productUpdate': {
    as: staffOnly,
    ask: `productUpdate(input: $input) { product { id } ${ERRORS} }`,
    declare: '$input: ProductUpdateInput!',
    given: async ({ shop }) => ({ input: { id: (await makeProduct(shop)).globalId, title: 'Another title' } }),
  },
  'Mutation.productArchive': {
    as: staffOnly,
    ask: `productArchive(input: $input) { product { id } ${ERRORS} }`,
    declare: '$input: ProductArchiveInput!',
    given: async ({ shop }) => ({ input: { id: (await makeProduct(shop)).globalId } }),
  },
  'Mutation.productVariantCreate': {
    as: staffOnly,
    ask: `productVariantCreate(input: $input) { variant { id } ${ERRORS} }`,
    declare: '$input: ProductVariantCreateInput!',
    given: async ({ shop }) => ({
      input: {
        productId: (await twoVariants(shop)).globalId,
        variant: { sku: crypto.randomUUID(), price: '5', selectedOptions: [{ name: 'Size', value: 'Huge' }] },
      },
    }),
  },
  'Mutation.productVariantUpdate': {
    as: staffOnly,
    ask: `productVariantUpdate(input: $input) { variant { id } ${ERRORS} }`,
    declare: '$input: ProductVariantUpdateInput!',
    given: async (scene) => ({ input: { id: (await variant(scene)).globalId, price: '12.34' } }),
  },
  'Mutation.productVariantArchive': {
    as: staffOnly,
    ask: `productVariantArchive(input: $input) { variant { id } ${ERRORS} }`,
    declare: '$input: ProductVariantArchiveInput!',
    given: async ({ shop }) => ({ input: { id: known((await twoVariants(shop)).variants[0]).globalId } }),
  },
  'Query.promotion': {
    as: staffOnly,
    ask: 'promotion(id: $id) { id }',
    declare: '$id: ID!',
    given: async (scene) => ({ id: await makePromotion(scene.shop) }),
  },
  'Query.promotions': { as: staffOnly, ask: 'promotions { totalCount }' },
  'Mutation.promotionCreate': {
    as: staffOnly,
    ask: `promotionCreate(input: $input) { promotion { id } ${ERRORS} }`,
    declare: '$input: PromotionCreateInput!',
    given: async () => ({
      input: { title: 'Sale', trigger: 'AUTOMATIC', scope: 'ORDER', kind: 'PERCENT', percent: '10' },
    }),
  },
  'Mutation.promotionPreview': {
    as: staffOnly,
    ask: `promotionPreview(input: $input) { preview { total { amount } } ${ERRORS} }`,
    declare: '$input: PromotionPreviewInput!',
    given: async ({ shop }) => ({
      input: {
        promotion: { title: 'Sale', trigger: 'AUTOMATIC', scope: 'ORDER', kind: 'FREE' },
        lines: [{ variantId: (await makeVariant(shop)).globalId, quantity: 1 }],
      },
    }),
  },
  'Mutation.promotionUpdate': {
    as: staffOnly,
    ask: `promotionUpdate(input: $input) { promotion { id } ${ERRORS} }`,
    declare: '$input: PromotionUpdateInput!',
    given: async (scene) => ({ input: { id: await makePromotion(scene.shop), title: 'Another title' } }),
  },
  'Mutation.promotionEnd': {
    as: staffOnly,
    ask: `promotionEnd(input: $input) { promotion { id } ${ERRORS} }`,
    declare: '$input: PromotionEndInput!',
    given: async (scene) => ({ input: { id: await makePromotion(scene.shop) } }),
  },
  'Mutation.promotionDelete': {
    as: staffOnly,
    ask: `promotionDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: PromotionDeleteInput!',
    given: async (scene) => ({ input: { id: await makePromotion(scene.shop) } }),
  },
  'Mutation.promotionCodesAdd': {
    as: staffOnly,
    ask: `promotionCodesAdd(input: $input) { codes ${ERRORS} }`,
    declare: '$input: PromotionCodesAddInput!',
    given: async (scene) => ({ input: { promotionId: await makePromotion(scene.shop), codes: [crypto.randomUUID()] } }),
  },
  'Mutation.promotionCodesGenerate': {
    as: staffOnly,
    ask: `promotionCodesGenerate(input: $input) { codes ${ERRORS} }`,
    declare: '$input: PromotionCodesGenerateInput!',
    given: async (scene) => ({ input: { promotionId: await makePromotion(scene.shop), count: 1 } }),
  },
  'Mutation.promotionCodesRemove': {
    as: staffOnly,
    ask: `promotionCodesRemove(input: $input) { codes ${ERRORS} }`,
    declare: '$input: PromotionCodesRemoveInput!',
    given: async (scene) => {
      const code = crypto.randomUUID();
      return { input: { promotionId: await makePromotion(scene.shop, code), codes: [code] } };
    },
  },
  'Mutation.categoryCreate': {
    as: staffOnly,
    ask: `categoryCreate(input: $input) { category { id } ${ERRORS} }`,
    declare: '$input: CategoryCreateInput!',
    given: async () => ({ input: { name: `Category ${crypto.randomUUID()}` } }),
  },
  'Mutation.categoryUpdate': {
    as: staffOnly,
    ask: `categoryUpdate(input: $input) { category { id } ${ERRORS} }`,
    declare: '$input: CategoryUpdateInput!',
    given: async ({ shop }) => ({ input: { id: (await newCategory(shop)).globalId, name: 'Another name' } }),
  },
  'Mutation.categoryDelete': {
    as: staffOnly,
    ask: `categoryDelete(input: $input) { deletedId ${ERRORS} }`,
    declare: '$input: CategoryDeleteInput!',
    given: async ({ shop }) => ({ input: { id: (await newCategory(shop)).globalId } }),
  },
  'Mutation.stockAdjust': {
    as: staffOnly,
    ask: `stockAdjust(input: $input) { variant { id } ${ERRORS} }`,
    declare: '$input: StockAdjustInput!',
    given: async (scene) => ({
      input: { variantId: (await variant(scene)).globalId, delta: 5, reason: 'RESTOCK', idempotencyKey: 'once' },
    }),
  },
  'Mutation.stockSet': {
    as: staffOnly,
    ask: `stockSet(input: $input) { variant { id } ${ERRORS} }`,
    declare: '$input: StockSetInput!',
    given: async (scene) => ({ input: { variantId: (await variant(scene)).globalId, onHand: 7, expectedOnHand: 10 } }),
  },

  'Mutation.stockAlertCreate': {
    as: everyone,
    ask: `stockAlertCreate(input: $input) { stockAlert { status } ${ERRORS} }`,
    declare: '$input: StockAlertCreateInput!',
    given: async ({ shop }) => ({ input: { variantId: (await soldOut(shop)).globalId, email: newEmail() } }),
  },
  'Mutation.stockAlertCancel': {
    as: ownersAlone,
    ask: `stockAlertCancel(input: $input) { stockAlert { status } ${ERRORS} }`,
    declare: '$input: StockAlertCancelInput!',
    given: async (scene) => ({ input: { id: await ownAlert(scene) } }),
  },

  'Mutation.cartCreate': { as: everyone, ask: `cartCreate { cart { id } ${ERRORS} }` },
  'Mutation.cartLinesAdd': {
    as: everyone,
    ask: `cartLinesAdd(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartLinesAddInput!',
    given: async (scene) => ({ input: { lines: [{ variantId: (await variant(scene)).globalId, quantity: 1 }] } }),
  },
  'Mutation.cartLinesUpdate': {
    as: ownersAlone,
    ask: `cartLinesUpdate(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartLinesUpdateInput!',
    given: async (scene) => ({ input: { lines: [{ id: (await bothCarts(scene)).line, quantity: 2 }] } }),
  },
  'Mutation.cartLinesRemove': {
    as: ownersAlone,
    ask: `cartLinesRemove(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartLinesRemoveInput!',
    given: async (scene) => ({ input: { ids: [(await bothCarts(scene)).line] } }),
  },
  'Mutation.cartReclaim': {
    as: ownersAlone,
    ask: `cartReclaim(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartReclaimInput!',
    given: async (scene) => ({ input: { cartId: await expireCart(scene) } }),
  },
  'Mutation.cartEmailSet': {
    as: everyone,
    ask: `cartEmailSet(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartEmailSetInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return { input: { email: 'news@example.com' } };
    },
  },
  'Mutation.cartDiscountCodesSet': {
    as: everyone,
    ask: `cartDiscountCodesSet(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartDiscountCodesSetInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return { input: { codes: ['SUMMER'] } };
    },
  },
  'Mutation.cartShippingAddressSet': {
    as: everyone,
    ask: `cartShippingAddressSet(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartShippingAddressSetInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      const city = { city: 'Berlin', postalCode: '10115', countryCode: 'DE' };
      return { input: { address: { name: 'Ada Baker', line1: 'Hauptstr. 1', ...city } } };
    },
  },
  'Mutation.cartShippingMethodSet': {
    as: everyone,
    ask: `cartShippingMethodSet(input: $input) { cart { id } ${ERRORS} }`,
    declare: '$input: CartShippingMethodSetInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return { input: { methodId: null } };
    },
  },
  'Mutation.checkout': {
    as: everyone,
    ask: `checkout(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: CheckoutInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return { input: { idempotencyKey: crypto.randomUUID(), email: 'me@example.com' } };
    },
  },
  'Mutation.orderCancel': {
    as: { ...ownersAlone, staff: 'done', admin: 'done' },
    ask: `orderCancel(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: OrderCancelInput!',
    given: async (scene) => ({ input: { id: (await placeOrder(scene)).id } }),
  },
  'Mutation.orderLinkRequest': {
    as: everyone,
    ask: `orderLinkRequest(input: $input) { accepted ${ERRORS} }`,
    declare: '$input: OrderLinkRequestInput!',
    given: async (scene) => {
      const email = newEmail();
      return { input: { number: (await placeGuestOrder(scene, email)).number, email } };
    },
  },
  'Mutation.orderMarkAsPaid': {
    as: staffOnly,
    ask: `orderMarkAsPaid(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: OrderMarkAsPaidInput!',
    given: async (scene) => ({ input: { id: (await placeOrder(scene)).id } }),
  },
  'Mutation.paymentStart': {
    as: everyone,
    ask: `paymentStart(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: PaymentStartInput!',
    given: async (scene) => {
      await fillCart(scene, scene.caller);
      return { input: { provider: 'manual', idempotencyKey: crypto.randomUUID(), email: newEmail() } };
    },
  },
  'Mutation.paymentSync': {
    as: { ...everyone, guest: 'refused NOT_FOUND', another: 'refused NOT_FOUND' },
    ask: `paymentSync(input: $input) { payment { id } ${ERRORS} }`,
    declare: '$input: PaymentIdInput!',
    given: async (scene) => ({ input: { id: (await payOrder(scene)).id } }),
  },
  // The order is placed, so callers with the right get an error that it is too late.
  'Mutation.paymentCancel': {
    as: {
      ...{ guest: 'refused NOT_FOUND', another: 'refused NOT_FOUND' },
      ...{ customer: 'refused CONFLICT', staff: 'refused CONFLICT', admin: 'refused CONFLICT' },
    },
    ask: `paymentCancel(input: $input) { payment { id } ${ERRORS} }`,
    declare: '$input: PaymentIdInput!',
    given: async (scene) => ({ input: { id: (await payOrder(scene)).id } }),
  },
  // The order was paid outside of the shop, where there is nothing to capture.
  'Mutation.paymentCapture': {
    as: { ...staffOnly, staff: 'refused CONFLICT', admin: 'refused CONFLICT' },
    ask: `paymentCapture(input: $input) { payment { id } ${ERRORS} }`,
    declare: '$input: PaymentCaptureInput!',
    given: async (scene) => ({ input: { id: (await payOrder(scene)).id, idempotencyKey: crypto.randomUUID() } }),
  },
  'Mutation.orderRefund': {
    as: staffOnly,
    ask: `orderRefund(input: $input) { refund { id } ${ERRORS} }`,
    declare: '$input: OrderRefundInput!',
    given: async (scene) => {
      const { orderId } = await payOrder(scene);
      return { input: { orderId, idempotencyKey: crypto.randomUUID(), amount: '1' } };
    },
  },
  'Mutation.orderMarkAsRefunded': {
    as: staffOnly,
    ask: `orderMarkAsRefunded(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: OrderMarkAsRefundedInput!',
    given: async (scene) => {
      const { id } = await placeOrder(scene);
      await scene.shop.app.services.orders.markAsPaid({ orderId: rowId(id), by: { by: 'SHOP' }, note: null });
      return { input: { id } };
    },
  },
  'Mutation.webhookDeliveryRetry': {
    as: staffOnly,
    ask: `webhookDeliveryRetry(input: $input) { webhookDelivery { id } ${ERRORS} }`,
    declare: '$input: WebhookDeliveryRetryInput!',
    given: async (scene) => ({ input: { id: await failDelivery(scene) } }),
  },
  'Mutation.parkedEventRetry': {
    // Nobody handles it: it is refused for that, and not for who asks.
    as: { ...staffOnly, staff: 'refused CONFLICT', admin: 'refused CONFLICT' },
    ask: `parkedEventRetry(input: $input) { parkedEvent { id } ${ERRORS} }`,
    declare: '$input: ParkedEventRetryInput!',
    given: async (scene) => ({ input: { id: await parkEvent(scene) } }),
  },
  'Mutation.failedJobRetry': {
    as: staffOnly,
    ask: `failedJobRetry(input: $input) { failedJob { id } ${ERRORS} }`,
    declare: '$input: FailedJobRetryInput!',
    given: async (scene) => ({ input: { id: await failJob(scene) } }),
  },
  'Mutation.productImportCreate': {
    as: staffOnly,
    ask: `productImportCreate(input: $input) { productImport { id } ${ERRORS} }`,
    declare: '$input: ProductImportCreateInput!',
    given: async () => ({ input: { fileName: 'products.csv', content: 'Handle' } }),
  },
  'Mutation.productImportAppend': {
    as: staffOnly,
    ask: `productImportAppend(input: $input) { productImport { id } ${ERRORS} }`,
    declare: '$input: ProductImportAppendInput!',
    given: async (scene) => ({ input: { id: await uploadedImport(scene), offset: 6, content: ',Title' } }),
  },
  'Mutation.productImportStart': {
    as: staffOnly,
    ask: `productImportStart(input: $input) { productImport { id } ${ERRORS} }`,
    declare: '$input: ProductImportStartInput!',
    given: async (scene) => ({ input: { id: await uploadedImport(scene), dryRun: true } }),
  },
  'Mutation.productImportCancel': {
    as: staffOnly,
    ask: `productImportCancel(input: $input) { productImport { id } ${ERRORS} }`,
    declare: '$input: ProductImportCancelInput!',
    given: async (scene) => ({ input: { id: await uploadedImport(scene) } }),
  },
  'Mutation.mailRetry': {
    as: staffOnly,
    ask: `mailRetry(input: $input) { mail { id } ${ERRORS} }`,
    declare: '$input: MailRetryInput!',
    given: async (scene) => ({ input: { id: await failedMail(scene) } }),
  },
  'Mutation.orderStatusUpdate': {
    as: staffOnly,
    ask: `orderStatusUpdate(input: $input) { order { id } ${ERRORS} }`,
    declare: '$input: OrderStatusUpdateInput!',
    given: async (scene) => ({ input: { id: (await placeOrder(scene)).id, status: 'FULFILLED' } }),
  },
};

/** A mail of the owner's that could not be sent. */
async function failedMail({ shop, owner }: Scene): Promise<string> {
  const id = await writeMail(shop, { recipient: owner.email, userId: rowId(owner.userId) });
  await setMail(shop, id, "status = 'FAILED', settled_at = clock_timestamp(), error = 'no such user'");
  return globalId('Mail', id);
}

/** Other ways to the same, and fields and arguments that are guarded inside. */
export const guarded: Record<string, Row> = {
  ...Object.fromEntries(
    // Of a payment outside of the shop the first three are null; only staff learn that.
    (
      [
        ['lapsesAt', 'lapsesAt', staffsNull],
        ['reference', 'reference', staffsNull],
        ['problem', 'problem', staffsNull],
        ['operations', 'operations { kind }', staffsAlone],
        ['disputes', 'disputes { state }', staffsAlone],
      ] as const
    ).map(([field, selection, as]): [string, Row] => [
      `Payment.${field}`,
      {
        as,
        ask: node('Payment', `id ${selection}`),
        at: field,
        declare: '$id: ID!',
        given: async (scene) => ({ id: (await payOrder(scene)).id }),
      },
    ]),
  ),
  'Order.moneyEntries': {
    as: staffsAlone,
    ask: node('Order', 'id moneyEntries { amount }'),
    at: 'moneyEntries',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await payOrder(scene)).orderId }),
  },
  'Refund.failure': {
    as: staffsNull,
    ask: node('Refund', 'id failure'),
    at: 'failure',
    declare: '$id: ID!',
    given: async (scene) => ({ id: await refundOrder(scene) }),
  },
  'Query.node, a refund': {
    as: ownersAndStaffs,
    ask: node('Refund', 'id'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await refundOrder(scene) }),
  },
  'Query.products(filter: status)': { as: staffOnly, ask: 'products(filter: { status: DRAFT }) { totalCount }' },
  'Query.productFacets(filter: status)': {
    as: staffOnly,
    ask: 'productFacets(filter: { status: DRAFT }) { tags { tag } }',
  },
  'Query.product, a draft': {
    as: staffs,
    ask: 'product(id: $id) { id }',
    declare: '$id: ID!',
    given: async ({ shop }) => ({ id: (await makeProduct(shop, { status: 'DRAFT' })).globalId }),
  },
  'Query.productVariant, of a draft': {
    as: staffs,
    ask: 'productVariant(sku: $sku) { id }',
    declare: '$sku: String!',
    given: async ({ shop }) => ({ sku: known((await makeProduct(shop, { status: 'DRAFT' })).variants[0]).sku }),
  },
  'Query.node, a draft': {
    as: staffs,
    ask: 'node(id: $id) { id }',
    declare: '$id: ID!',
    given: async ({ shop }) => ({ id: (await makeProduct(shop, { status: 'DRAFT' })).globalId }),
  },
  'Query.order, by its access token': {
    as: everyone,
    ask: 'order(accessToken: $token) { id }',
    declare: '$token: String!',
    given: async (scene) => ({ token: (await placeOrder(scene)).accessToken }),
  },
  "Query.order, a user's by number and address": {
    as: { guest: 'hidden', customer: 'hidden', another: 'hidden', staff: 'hidden', admin: 'hidden' },
    ask: 'order(number: $number, email: $email) { id }',
    declare: '$number: String!, $email: String!',
    given: async (scene) => {
      const { id } = await placeOrder(scene);
      const [row] = await scene.shop.db.query<{ number: bigint }>(
        { name: 'scene_order_number', text: 'SELECT number FROM orders WHERE id = $1' },
        [rowId(id)],
      );
      return { number: String(row?.number), email: scene.owner.email };
    },
  },
  "Query.order, a guest's by number and address": {
    as: everyone,
    ask: 'order(number: $number, email: $email) { id }',
    declare: '$number: String!, $email: String!',
    given: async (scene) => {
      const email = newEmail();
      return { number: (await placeGuestOrder(scene, email)).number, email };
    },
  },
  "Order.shippingAddress, a guest's by number and address": {
    as: { guest: 'hidden', customer: 'hidden', another: 'hidden', staff: 'hidden', admin: 'hidden' },
    ask: 'order(number: $number, email: $email) { shippingAddress { city } }',
    at: 'shippingAddress',
    declare: '$number: String!, $email: String!',
    given: async (scene) => {
      const email = newEmail();
      return { number: (await placeGuestOrder(scene, email)).number, email };
    },
  },
  'Order.accessToken': {
    as: owners,
    ask: node('Order', 'accessToken'),
    at: 'accessToken',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).id }),
  },
  'Order.customer': {
    as: ownersAndStaffs,
    ask: node('Order', 'customer { email }'),
    at: 'customer',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).id }),
  },
  'Order.customer, by its access token': {
    as: ownersAndStaffs,
    ask: 'order(accessToken: $token) { customer { email } }',
    at: 'customer',
    declare: '$token: String!',
    given: async (scene) => ({ token: (await placeOrder(scene)).accessToken }),
  },
  OrderLine: {
    as: ownersAndStaffs,
    ask: node('OrderLine', 'sku'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await placeOrder(scene)).line }),
  },
  Cart: {
    as: owners,
    ask: node('Cart', 'version'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await fillCart(scene, scene.owner.client)).cart }),
  },
  CartLine: {
    as: owners,
    ask: node('CartLine', 'quantity'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await fillCart(scene, scene.owner.client)).line }),
  },
  User: {
    as: ownersAndStaffs,
    ask: node('User', 'email'),
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  'User.orders': {
    as: ownersAndStaffs,
    ask: node('User', 'orders { totalCount }'),
    at: 'orders',
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  ShippingZone: {
    as: { ...staffs, customer: 'hidden' },
    ask: node('ShippingZone', 'name'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await keptZone(scene) }),
  },
  TaxRate: {
    as: { ...staffs, customer: 'hidden' },
    ask: node('TaxRate', 'percent'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await keptTaxRate(scene) }),
  },
  'ShippingMethod.zone': {
    as: staffOnly,
    ask: node('ShippingMethod', 'zone { id }'),
    at: 'zone',
    declare: '$id: ID!',
    given: async (scene) => ({ id: await keptMethod(scene) }),
  },
  'User.addresses': {
    as: { ...owners, staff: 'FORBIDDEN', admin: 'FORBIDDEN' },
    ask: node('User', 'addresses { id }'),
    at: 'addresses',
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  'User.sessions': {
    // Staff find the user, but may not see this.
    as: { ...owners, staff: 'FORBIDDEN', admin: 'FORBIDDEN' },
    ask: node('User', 'sessions { id }'),
    at: 'sessions',
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  Mail: {
    as: { ...staffs, customer: 'hidden' },
    ask: node('Mail', 'recipient'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await failedMail(scene) }),
  },
  'User.notificationSettings': {
    as: { ...owners, staff: 'FORBIDDEN', admin: 'FORBIDDEN' },
    ask: node('User', 'notificationSettings { lowStock }'),
    at: 'notificationSettings',
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  Session: {
    as: owners,
    ask: node('Session', 'userAgent'),
    declare: '$id: ID!',
    given: async ({ shop, owner }) => {
      const [session] = await shop.app.services.sessions.list(rowId(owner.userId));
      return { id: globalId('Session', known(session).id) };
    },
  },
  'Mutation.stockAlertCancel, by its token': {
    as: everyone,
    ask: `stockAlertCancel(input: $input) { stockAlert { status } ${ERRORS} }`,
    declare: '$input: StockAlertCancelInput!',
    given: async (scene) => ({
      input: { token: scene.shop.app.services.stockAlerts.cancelToken(rowId(await ownAlert(scene))) },
    }),
  },
  StockAlert: {
    as: ownersAndStaffs,
    ask: node('StockAlert', 'email'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await ownAlert(scene) }),
  },
  'User.stockAlerts': {
    // Staff find the user, but may not see this.
    as: { ...owners, staff: 'FORBIDDEN', admin: 'FORBIDDEN' },
    ask: node('User', 'stockAlerts { totalCount }'),
    at: 'stockAlerts',
    declare: '$id: ID!',
    given: async ({ owner }) => ({ id: owner.userId }),
  },
  'ProductVariant.stockAlertCount': {
    as: staffOnly,
    ask: node('ProductVariant', 'stockAlertCount'),
    at: 'stockAlertCount',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await variant(scene)).globalId }),
  },
  'ProductVariant.onHand': {
    as: staffOnly,
    ask: node('ProductVariant', 'onHand'),
    at: 'onHand',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await variant(scene)).globalId }),
  },
  'ProductVariant.held': {
    as: staffOnly,
    ask: node('ProductVariant', 'held'),
    at: 'held',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await variant(scene)).globalId }),
  },
  'ProductVariant.syncShortfall': {
    as: staffOnly,
    ask: node('ProductVariant', 'syncShortfall'),
    at: 'syncShortfall',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await variant(scene)).globalId }),
  },
  'ProductVariant.stockMovements': {
    as: staffOnly,
    ask: node('ProductVariant', 'stockMovements { totalCount }'),
    at: 'stockMovements',
    declare: '$id: ID!',
    given: async (scene) => ({ id: (await variant(scene)).globalId }),
  },
  StockMovement: {
    as: staffs,
    ask: node('StockMovement', 'reason'),
    declare: '$id: ID!',
    given: async (scene) => {
      const { id } = await variant(scene);
      const [row] = await scene.shop.db.query<{ id: bigint }>(
        { name: 'scene_movement', text: 'SELECT id FROM stock_movements WHERE variant_id = $1' },
        [id],
      );
      return { id: globalId('StockMovement', String(row?.id)) };
    },
  },
  WebhookDelivery: {
    as: staffs,
    ask: node('WebhookDelivery', 'topic'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await failDelivery(scene) }),
  },
  ParkedEvent: {
    as: staffs,
    ask: node('ParkedEvent', 'consumer'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await parkEvent(scene) }),
  },
  FailedJob: {
    as: staffs,
    ask: node('FailedJob', 'reason'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await failJob(scene) }),
  },
  Promotion: {
    as: staffs,
    ask: node('Promotion', 'title'),
    declare: '$id: ID!',
    given: async ({ shop }) => ({ id: await makePromotion(shop) }),
  },
  ProductImport: {
    as: staffs,
    ask: node('ProductImport', 'status'),
    declare: '$id: ID!',
    given: async (scene) => ({ id: await uploadedImport(scene) }),
  },
  StaffAction: {
    as: staffs,
    ask: node('StaffAction', 'kind'),
    declare: '$id: ID!',
    given: async ({ shop, owner }) => {
      const [row] = await shop.db.query<{ id: bigint }>(
        {
          name: 'scene_action',
          text: `INSERT INTO staff_actions (kind, subject_type, subject_id, occurred_at) VALUES ('USER_CREATED', 'User', $1, now()) RETURNING id`,
        },
        [rowId(owner.userId)],
      );
      return { id: globalId('StaffAction', String(row?.id)) };
    },
  },
};

/** Types that are guarded and reached by a subscription alone. */
export const reachedBySubscription: readonly string[] = ['OrderPlaced', 'ProductImportChanged'];

/** Who may subscribe. */
export const subscriptions: Record<string, { as: Record<Who, Outcome>; ask: string }> = {
  'Subscription.cartChanged': { as: everyone, ask: 'cartChanged { kind }' },
  'Subscription.orderPlaced': { as: staffOnly, ask: 'orderPlaced { cursor }' },
  'Subscription.productImportChanged': { as: staffOnly, ask: 'productImportChanged { cursor }' },
  'Subscription.paymentChanged': { as: everyone, ask: 'paymentChanged { cursor }' },
  'Subscription.backInStock': { as: everyone, ask: 'backInStock(variantIds: []) { available }' },
  'Subscription.productChanged': { as: everyone, ask: 'productChanged(productIds: []) { cursor }' },
  'Subscription.orderPaymentStatusChanged': { as: everyone, ask: 'orderPaymentStatusChanged { to }' },
  'Subscription.orderStatusChanged': { as: everyone, ask: 'orderStatusChanged { to }' },
  'Subscription.stockChanged': { as: everyone, ask: 'stockChanged(variantIds: []) { available }' },
};

let count = 0;

/** An order of the owner's that was paid outside of the shop, with its payment. */
async function payOrder(scene: Scene): Promise<{ id: string; orderId: string }> {
  const { id: orderId } = await placeOrder(scene);
  const { orders, payments } = scene.shop.app.services;
  await orders.markAsPaid({ orderId: rowId(orderId), by: { by: 'SHOP' }, note: null });
  const [payment] = await payments.ofOrders([rowId(orderId)]);
  return { id: globalId('Payment', known(payment).id), orderId };
}

/** A refund of such an order. */
async function refundOrder(scene: Scene): Promise<string> {
  const { orderId } = await payOrder(scene);
  const { payments } = scene.shop.app.services;
  const refundId = await payments.refund({
    ...{
      orderId: rowId(orderId),
      idempotencyKey: crypto.randomUUID(),
      reason: null,
      actorId: rowId(scene.owner.userId),
    },
    ...{ lines: [], shippingMinor: null, amountMinor: 1n },
  });
  return globalId('Refund', refundId);
}

async function uploadedImport({ shop, owner }: Scene): Promise<string> {
  const { productImports } = shop.app.services;
  const { id } = await productImports.create(rowId(owner.userId), { fileName: 'products.csv', content: 'Handle' });
  return globalId('ProductImport', id);
}

function newCategory(shop: Scene['shop']) {
  count += 1;
  return makeCategory(shop, `Category ${count}`, `category-${count}`);
}

const twoVariants = (shop: Scene['shop']) =>
  makeProduct(shop, {
    variants: ['Small', 'Large'].map((value) => ({ options: [{ name: 'Size', value }] })),
  });

const soldOut = (shop: Scene['shop']) => makeVariant(shop, { onHand: 0 });

/** Something that the owner waits for. */
async function ownAlert({ shop, owner }: Scene): Promise<string> {
  const { stockAlert } = await waiterOf(owner.client).wait({ variantId: (await soldOut(shop)).globalId });
  return known(stockAlert).id;
}

/** An event of a consumer that nobody knows. */
async function parkEvent({ shop, owner }: Scene): Promise<string> {
  count += 1;
  const [row] = await shop.db.query<{ id: string }>(
    {
      name: 'scene_parked',
      text: `INSERT INTO parked_events (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at)
             VALUES ('nobody', '0011223344556677', $1, 'happened', $2, '{}', now(), 'no', 1, now()) RETURNING id`,
    },
    [count, rowId(owner.userId)],
  );
  return globalId('ParkedEvent', known(row).id);
}

/** A job that failed for good; nothing else is in its queue. */
async function failJob({ shop }: Scene): Promise<string> {
  count += 1;
  const { database } = shop.config;
  const connectionString = known(database.kind === 'url' ? database.url : null);
  await using backend = createPostgresJobs({ connectionString, logger: pino({ level: 'silent' }) });
  await failJobs(backend, 'cart-expiry', [{ jobId: `failed-${count}`, reason: 'no' }]);
  return failedJobId('cart-expiry', `failed-${count}`);
}

/** What a CMS sent, and could not be applied. */
async function failDelivery({ shop }: Scene): Promise<string> {
  count += 1;
  const [row] = await shop.db.query<{ id: string }>(
    {
      name: 'scene_delivery',
      text: `INSERT INTO webhook_deliveries (id, source, delivery_key, topic, subject, body, status, reason, received_at, settled_at)
             VALUES (gen_random_uuid(), 'contentful', $1, 'ContentManagement.Entry.publish', 'e', '{}', 'FAILED', 'no', now(), now())
             RETURNING id`,
    },
    [`scene ${count}`],
  );
  return globalId('WebhookDelivery', known(row).id);
}

/** The owner's cart and one of the caller's own: who has none would be told so, and not whose the line is. */
async function bothCarts(scene: Scene): Promise<{ line: string }> {
  const { line } = await fillCart(scene, scene.owner.client);
  if (scene.caller !== scene.owner.client) await fillCart(scene, scene.caller);
  return { line };
}

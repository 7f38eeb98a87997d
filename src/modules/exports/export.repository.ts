import type { Queryable, Statement } from '../../infra/postgres/database.ts';

export interface ExportedProductRow {
  id: string;
  slug: string;
  title: string;
  description: string;
  vendor: string | null;
  tags: string[];
  status: 'DRAFT' | 'ACTIVE' | 'ARCHIVED';
  images: { url: string; altText: string | null }[];
  categoryName: string | null;
  categorySlug: string | null;
  variants: {
    sku: string;
    options: { name: string; value: string }[];
    priceMinor: number;
    compareAtMinor: number | null;
    weightGrams: number | null;
    requiresShipping: boolean;
    taxCode: string | null;
  }[];
}

const products: Statement = {
  name: 'export_products',
  text: `
SELECT p.id, p.slug, p.title, p.description, p.vendor, p.tags, p.status, p.images, c.name AS "categoryName",
       c.slug AS "categorySlug",
       coalesce((SELECT jsonb_agg(jsonb_build_object('sku', v.sku, 'options', v.selected_options, 'priceMinor', v.price_minor,
                          'compareAtMinor', v.compare_at_minor, 'weightGrams', v.weight_grams,
                          'requiresShipping', v.requires_shipping, 'taxCode', t.code) ORDER BY v.position, v.id)
                   FROM product_variants v LEFT JOIN tax_categories t ON t.id = v.tax_category_id
                  WHERE v.product_id = p.id AND v.archived_at IS NULL), '[]') AS variants
  FROM products p LEFT JOIN categories c ON c.id = p.category_id
 WHERE $1::uuid IS NULL OR p.id > $1 ORDER BY p.id LIMIT $2`,
};

/** Products after one, by id, with their variants that are not archived. */
export function findProducts(source: Queryable, after: string | null, limit: number): Promise<ExportedProductRow[]> {
  return source.query<ExportedProductRow>(products, [after, limit]);
}

export interface ExportedOrderLineRow {
  orderId: string;
  position: number;
  number: bigint;
  placedAt: Date;
  status: string;
  paymentStatus: string;
  email: string;
  currency: string;
  sku: string;
  title: string;
  quantity: number;
  unitPriceMinor: number;
  reliefMinor: bigint;
  lineDiscountMinor: bigint;
  lineTaxMinor: bigint;
  subtotalMinor: bigint;
  discountMinor: bigint;
  shippingMinor: bigint;
  taxMinor: bigint;
  totalMinor: bigint;
  pricesIncludeTax: boolean;
  discountCodes: string[];
  shippingMethod: string | null;
  name: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  region: string | null;
  postalCode: string | null;
  countryCode: string | null;
}

const orderLines: Statement = {
  name: 'export_order_lines',
  text: `
SELECT o.id AS "orderId", l.position, o.number, o.placed_at AS "placedAt", o.status, o.payment_status AS "paymentStatus", o.email,
       o.currency, l.sku, l.title, l.quantity, l.unit_price_minor AS "unitPriceMinor", l.relief_minor AS "reliefMinor",
       l.discount_minor AS "lineDiscountMinor", l.tax_minor AS "lineTaxMinor", o.subtotal_minor AS "subtotalMinor",
       o.discount_minor AS "discountMinor", o.shipping_minor AS "shippingMinor", o.tax_minor AS "taxMinor",
       o.total_minor AS "totalMinor", o.prices_include_tax AS "pricesIncludeTax", o.discount_codes AS "discountCodes",
       o.shipping_method_title AS "shippingMethod", o.shipping_name AS name, o.shipping_line1 AS line1,
       o.shipping_line2 AS line2, o.shipping_city AS city, o.shipping_region AS region,
       o.shipping_postal_code AS "postalCode", o.shipping_country_code AS "countryCode"
  FROM (SELECT * FROM orders WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2) AS o
  JOIN order_lines l ON l.order_id = o.id ORDER BY o.id, l.position`,
};

/** The lines of the orders after one, by id of the order. @param limit of orders */
export function findOrderLines(
  source: Queryable,
  after: string | null,
  limit: number,
): Promise<ExportedOrderLineRow[]> {
  return source.query<ExportedOrderLineRow>(orderLines, [after, limit]);
}

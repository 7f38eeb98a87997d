import { html, raw } from 'hono/html';
import { toDecimal } from '../../modules/money.ts';
import type { CatalogService, Product, ProductVariant } from '../../modules/catalog/catalog.service.ts';

/*
 * What a page of the shop window says of itself before any script has run: to search engines, and to programs that show a
 * preview of a link.
 */

export interface HeadOptions {
  catalog: Pick<CatalogService, 'productBySlug' | 'variantsOfProducts'>;
  shop: { name: string; currency: string };
  /** The origin of the shop. */
  publicUrl: string;
}

/** The status and the elements of a page's head. */
export interface Head {
  status: number;
  html: string;
}

const TITLES: Readonly<Record<string, string>> = {
  '/products': 'All products',
  '/cart': 'Your cart',
  '/checkout': 'Checkout',
  '/pay': 'Payment',
  '/order': 'Your order',
  '/log-in': 'Log in',
  '/register': 'Create an account',
  '/forgotten-password': 'Forgotten password',
  '/reset-password': 'Choose a new password',
  '/confirm-email': 'Confirm your email address',
  '/stock-alert': 'Stock alert',
  '/account': 'Your account',
};
/** Longer descriptions are cut by those who show them. */
const DESCRIPTION_LENGTH = 200;
const PRODUCT_PAGE = /^\/products\/([^/]+)$/;

/** Makes the heads of pages. */
export function createHead({ catalog, shop, publicUrl }: HeadOptions) {
  const absolute = (url: string) => (URL.canParse(url, publicUrl) ? new URL(url, publicUrl).href : null);

  async function elements(page: {
    path: string;
    title: string;
    description: string;
    type?: 'website' | 'product';
    image?: { url: string; altText: string | null } | null;
    data?: object | null;
  }): Promise<string> {
    const { path, title, description, type = 'website', image = null, data = null } = page;
    const picture = image === null ? null : absolute(image.url);
    const url = `${publicUrl}${path}`;
    return String(
      await html`<title>${title}</title>
        <meta name="description" content="${description}" />
        <link rel="canonical" href="${url}" />
        <meta property="og:site_name" content="${shop.name}" />
        <meta property="og:type" content="${type}" />
        <meta property="og:title" content="${title}" />
        <meta property="og:description" content="${description}" />
        <meta property="og:url" content="${url}" />
        ${
          picture === null
            ? ''
            : html`<meta property="og:image" content="${picture}" />
                <meta property="og:image:alt" content="${image?.altText ?? title}" />
                <meta name="twitter:card" content="summary_large_image" />`
        }
        ${data === null ? '' : raw(`<script type="application/ld+json">${jsonForScript(data)}</script>`)}`,
    );
  }

  function ofProduct(path: string, product: Product, variants: readonly ProductVariant[]): Promise<string> {
    const description = shorten(product.description);
    return elements({
      path,
      title: `${product.title} · ${shop.name}`,
      description,
      type: 'product',
      image: product.images[0] ?? null,
      data: {
        '@context': 'https://schema.org',
        '@type': 'Product',
        name: product.title,
        description,
        url: `${publicUrl}${path}`,
        image: product.images.map(({ url }) => absolute(url)).filter((url) => url !== null),
        ...(product.vendor === null ? {} : { brand: { '@type': 'Brand', name: product.vendor } }),
        offers: variants.map((variant) => ({
          '@type': 'Offer',
          sku: variant.sku,
          name: variant.selectedOptions.map(({ value }) => value).join(' / ') || product.title,
          price: toDecimal({ minor: BigInt(variant.priceMinor), currency: shop.currency }),
          priceCurrency: shop.currency,
          availability: `https://schema.org/${variant.available > 0 ? 'InStock' : 'OutOfStock'}`,
          url: `${publicUrl}${path}`,
        })),
      },
    });
  }

  return {
    /** The head of a page of the shop window. A product that shoppers may not see makes it a 404. */
    async of(path: string): Promise<Head> {
      const slug = PRODUCT_PAGE.exec(path)?.[1];
      if (slug !== undefined) {
        const product = await catalog.productBySlug(decodeURIComponent(slug));
        if (product === null || product.status !== 'ACTIVE') {
          return { status: 404, html: String(await html`<title>There is nothing here · ${shop.name}</title>`) };
        }
        const variants = (await catalog.variantsOfProducts([product.id])).filter(
          ({ archivedAt }) => archivedAt === null,
        );
        return { status: 200, html: await ofProduct(path, product, variants) };
      }
      const title = TITLES[path];
      if (path !== '/') {
        const text = title === undefined ? shop.name : `${title} · ${shop.name}`;
        return { status: 200, html: String(await html`<title>${text}</title>`) };
      }
      const description = `${shop.name}: what is on the shelf, and how much of it, as it changes.`;
      const data = {
        '@context': 'https://schema.org',
        '@type': 'WebSite',
        name: shop.name,
        url: `${publicUrl}/`,
        description,
      };
      return { status: 200, html: await elements({ path, title: shop.name, description, data }) };
    },
    ofDashboard: async () =>
      String(await html`<title>Dashboard · ${shop.name}</title> <meta name="robots" content="noindex" />`),
  };
}

/** JSON that cannot end the script element it stands in. */
function jsonForScript(data: object): string {
  return JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
}

function shorten(text: string): string {
  const plain = text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (plain.length <= DESCRIPTION_LENGTH) return plain;
  return `${plain.slice(0, DESCRIPTION_LENGTH - 1).replace(/\s+\S*$/, '')}…`;
}

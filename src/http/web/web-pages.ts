import type { IncomingMessage } from 'node:http';
import { html } from 'hono/html';
import { createHead, type HeadOptions } from './web-head.ts';
import type { WebFiles } from './web-files.ts';

/** The pages of the shop window, as the router of Hono writes paths. */
export const SHOP_PAGES = [
  '/',
  '/products',
  '/products/:slug',
  '/categories/:slug',
  '/cart',
  '/checkout',
  '/pay',
  '/order',
  '/confirm-email',
  '/reset-password',
  '/stock-alert',
  '/log-in',
  '/register',
  '/forgotten-password',
  '/account',
  '/account/*',
] as const;

/** Those to which links in mails lead. Each has a plain page of its name below `/mail`, which does without scripts. */
export const PAGES_OF_MAILS = ['/order', '/confirm-email', '/reset-password', '/stock-alert'] as const;

export const DASHBOARD_PAGES = ['/dashboard', '/dashboard/*'] as const;

/** The built web apps, as pages of the shop. */
export interface WebPages {
  /** A page of the shop window: a person's visit, or a program that reads what pages say of themselves. */
  shop(request: Request): Promise<Response>;
  dashboard(): Promise<Response>;
  /** A file of either, such as `/assets/index-BxU3.js`; null where there is none. */
  file(incoming: IncomingMessage, path: string): Response | null;
}

/** What Stripe.js loads, as Stripe documents it: scripts, frames for fields and 3-D Secure, and its API. */
const STRIPE = {
  scripts: 'https://js.stripe.com https://*.js.stripe.com',
  frames: 'https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com',
  api: 'https://api.stripe.com',
};

/**
 * What the pages may load. Styles that scripts set on elements are no inline styles to a browser; pictures of products may be
 * anywhere. WebSockets to the shop's own origin are part of 'self'.
 * @param options.stripe whether shoppers pay with Stripe's Payment Element, which must come from Stripe
 */
export function policyOf({ stripe }: { stripe: boolean }): string {
  return [
    "default-src 'none'",
    `script-src 'self'${stripe ? ` ${STRIPE.scripts}` : ''}`,
    "style-src 'self'",
    "img-src 'self' data: https: http:",
    "font-src 'self'",
    `connect-src 'self'${stripe ? ` ${STRIPE.api}` : ''}`,
    ...(stripe ? [`frame-src ${STRIPE.frames}`] : []),
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Where a document has room for its title and what else the server knows of the page. */
const HEAD = /<title>.*<\/title>/s;

/** Whether serving the page reads the database. */
export function isPageFromDatabase(path: string): boolean {
  return path.startsWith('/products/');
}

export interface WebPagesOptions extends HeadOptions {
  /** Whether the shop window may load Stripe's Payment Element. */
  stripe: boolean;
}

/** Makes the pages from the files of a build. */
export function createWebPages({ files, stripe, ...options }: { files: WebFiles } & WebPagesOptions): WebPages {
  // The shop window is one document for all of its pages, so the policy cannot be for the checkout alone.
  const policies = { shop: policyOf({ stripe }), dashboard: policyOf({ stripe: false }) };
  const head = createHead(options);
  const [shop, dashboard] = [files.document('shop/index.html'), files.document('dashboard/index.html')];

  function answer(
    document: string,
    policy: string,
    { status, html: elements }: { status: number; html: string },
  ): Response {
    return new Response(
      document.replace(HEAD, () => elements),
      {
        status,
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': policy,
          // It names the files of this build.
          'cache-control': 'no-store',
          'referrer-policy': 'same-origin',
        },
      },
    );
  }

  return {
    async shop(request) {
      if (shop === null) return new Response(null, { status: 404 });
      const { pathname, search } = new URL(request.url);
      const isOfMail = (PAGES_OF_MAILS as readonly string[]).includes(pathname);
      const plain = String(await html`<p><a href="/mail${pathname}${search}">Go on without scripts</a></p>`);
      return answer(
        isOfMail ? shop.replace('</noscript>', () => `${plain}</noscript>`) : shop,
        policies.shop,
        await head.of(pathname),
      );
    },
    async dashboard() {
      if (dashboard === null) return new Response(null, { status: 404 });
      return answer(dashboard, policies.dashboard, { status: 200, html: await head.ofDashboard() });
    },
    file: ({ headers }, path) => files.answer(path.slice(1), headers),
  };
}

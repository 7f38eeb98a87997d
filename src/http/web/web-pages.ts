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

/**
 * What the pages may load. Styles that scripts set on elements are no inline styles to a browser; pictures of products may be
 * anywhere. WebSockets to the shop's own origin are part of 'self'.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: https: http:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Where a document has room for its title and what else the server knows of the page. */
const HEAD = /<title>.*<\/title>/s;

/** Whether serving the page reads the database. */
export function isPageFromDatabase(path: string): boolean {
  return path.startsWith('/products/');
}

/** Makes the pages from the files of a build. */
export function createWebPages({ files, ...options }: { files: WebFiles } & HeadOptions): WebPages {
  const head = createHead(options);
  const [shop, dashboard] = [files.document('shop/index.html'), files.document('dashboard/index.html')];

  function answer(document: string, { status, html: elements }: { status: number; html: string }): Response {
    return new Response(
      document.replace(HEAD, () => elements),
      {
        status,
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': POLICY,
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
        await head.of(pathname),
      );
    },
    async dashboard() {
      if (dashboard === null) return new Response(null, { status: 404 });
      return answer(dashboard, { status: 200, html: await head.ofDashboard() });
    },
    file: ({ headers }, path) => files.answer(path.slice(1), headers),
  };
}

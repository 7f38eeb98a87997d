import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` has the shop; Vite serves the pages, and passes everything else on. */
const API = 'http://localhost:4000';
/** The shop takes requests of its own pages alone, and the pages of Vite stand in for them. */
const passOn = { target: API, ws: true, headers: { origin: API } };
const proxy = Object.fromEntries(
  ['/graphql', '/images/', '/mail', '/staff/', '/queues', '/health/'].map((at) => [at, passOn]),
);

/** In development the pages have the paths that the shop gives them. */
const pagePaths: Plugin = {
  name: 'page-paths',
  configureServer({ middlewares }) {
    middlewares.use((req, _res, next) => {
      const [path = '/'] = (req.url ?? '/').split('?');
      const isPage =
        req.headers.accept?.includes('text/html') === true && !Object.keys(proxy).some((at) => path.startsWith(at));
      if (isPage) req.url = /^\/dashboard(\/|$)/.test(path) ? '/dashboard/index.html' : '/shop/index.html';
      next();
    });
  },
};

export default defineConfig({
  root: here('.'),
  publicDir: here('public'),
  plugins: [react(), pagePaths],
  build: {
    outDir: here('../../dist/web'),
    target: 'es2023',
    assetsDir: 'assets',
    // The policy of the pages takes neither scripts nor fonts from data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    rolldownOptions: { input: { shop: here('shop/index.html'), dashboard: here('dashboard/index.html') } },
  },
  server: { port: 5173, proxy },
});

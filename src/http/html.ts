import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** Text that is HTML already; whatever `html` is given beside it is escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --line: #d9d6d0; --ink: #1d1b18; --quiet: #6b665e; --paper: #fff; --field: #fff; --act: #1d1b18; --on-act: #fff }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d3a35; --ink: #f1eee9; --quiet: #a8a39a; --paper: #191816; --field: #24221f; --act: #f1eee9; --on-act: #191816 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 34rem; margin: 0 auto; padding: 3rem 1.25rem }
.shop { font-weight: 600; letter-spacing: .02em; margin: 0 0 2.5rem; color: var(--quiet) }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem }
p { margin: 0 0 1rem }
.quiet { color: var(--quiet); font-size: .9rem }
.wrong { border-left: 3px solid #c0392b; padding-left: .75rem }
label { display: block; font-weight: 600; margin: 1.25rem 0 .35rem }
input[type=password] { width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: var(--field); border: 1px solid var(--line); border-radius: 6px }
button { margin-top: 1.25rem; padding: .7rem 1.4rem; font: inherit; font-weight: 600; color: var(--on-act); background: var(--act); border: 0; border-radius: 6px; cursor: pointer }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid #7aa7e8; outline-offset: 2px }
a { color: inherit }
table { width: 100%; border-collapse: collapse; margin: 1rem 0 1.5rem }
td { padding: .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td:last-child { text-align: right; white-space: nowrap; padding-left: 1rem }
tr.total td { border-bottom: 0; font-weight: 600 }
`;

/** What a plain page may do: show itself and send its form back. No scripts, nothing from elsewhere. */
export const PLAIN_PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** A plain page in the shop's name, for a phone and for a desk. */
export function page({ shopName, title, body }: { shopName: string; title: string; body: Html }): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${shopName}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          <p class="shop">${shopName}</p>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
}

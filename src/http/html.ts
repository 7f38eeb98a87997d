import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** Finished HTML: what `html` makes, with all that was put into it escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `:root { color-scheme: light dark; --page: #f4f3ef; --card: #fff; --ink: #1f1d1a; --quiet: #6b665e; --line: #e3e0d8 }
@media (prefers-color-scheme: dark) { :root { --page: #161513; --card: #211f1c; --ink: #f1eee8; --quiet: #aaa49a; --line: #38352f } }
* { box-sizing: border-box }
body { margin: 0; padding: 0 16px; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif }
header, main { max-width: 560px; margin: 0 auto }
header { padding: 28px 0 20px; text-align: center; font-size: 18px; font-weight: 600 }
main { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 28px; margin-bottom: 40px }
h1 { font-size: 24px; line-height: 1.3; margin: 0 0 12px }
h2 { font-size: 16px; margin: 20px 0 4px }
p { margin: 0 0 16px }
form { margin: 8px 0 0 }
label { display: block; margin: 0 0 12px }
input { display: block; width: 100%; font: inherit; padding: 10px 12px; margin-top: 4px; color: inherit; background: var(--page);
  border: 1px solid var(--line); border-radius: 8px }
button { font: inherit; font-weight: 600; padding: 11px 22px; border: 0; border-radius: 8px; background: var(--ink);
  color: var(--card); cursor: pointer }
button.second { background: none; color: var(--ink); border: 1px solid var(--line) }
a { color: inherit }
.quiet { color: var(--quiet); font-size: 14px }
table { width: 100%; border-collapse: collapse; margin: 8px 0 16px }
td { border-top: 1px solid var(--line); padding: 10px 0; vertical-align: top }
td:last-child { text-align: right; padding-left: 12px }
tr.total td { font-weight: 600 }
.wrong { border-left: 3px solid #c0392b; padding-left: 12px }`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** No scripts, nothing from elsewhere; forms lead to the shop itself, and to where it redirects them. */
function policyOf({ policy, formTarget }: Pick<PageText, 'policy' | 'formTarget'>): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(policy === undefined ? [] : [policy]),
  ].join('; ');
}

/** A small page of the shop's own. */
export interface PageText {
  shopName: string;
  title: string;
  /** Made with `html`, which escapes. */
  body: Html;
  /** What the page needs beyond the policy of all pages, such as the hash of a script. */
  policy?: string;
  /** Another origin to which the shop redirects after a form. Browsers check redirects, too. */
  formTarget?: string;
}

/** The whole document. */
export function page({ shopName, title, body }: PageText): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${shopName}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>${shopName}</header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
}

const STYLE_ELEMENT = raw(`<style>${STYLE}</style>`);

/** Responds with a page. The page may contain secrets of its link and must not be cached. */
export async function answerPage(status: number, text: PageText): Promise<Response> {
  return new Response(String(await page(text)), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(text),
      'cache-control': 'no-store',
    },
  });
}

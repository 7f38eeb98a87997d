import { html, raw } from 'hono/html';

/** What the list says of a mail. */
export interface MailHead {
  id: string;
  subject: string;
  from: string;
  to: string;
  at: Date | null;
}

const STYLE = `
  :root { color-scheme: light dark; --ink: #1c1b22; --soft: #63606e; --line: #e3e1e8; --paper: #fff; --desk: #f5f4f8; --accent: #5b3fd6; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #eceaf2; --soft: #a19dad; --line: #35323f; --paper: #1d1b24; --desk: #131218; --accent: #a997ff; }
  }
  * { box-sizing: border-box; }
  html, body { margin: 0; }
  body { min-height: 100vh; background: var(--desk); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  a { color: inherit; text-decoration: none; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
  .top { display: flex; gap: .75rem; align-items: baseline; padding: 1rem 1.25rem; max-width: 62rem; margin: 0 auto; }
  .top h1, .top a { margin: 0; font-size: 1.15rem; font-weight: 650; }
  .top a { color: var(--accent); }
  .soft { color: var(--soft); }
  main { max-width: 62rem; margin: 0 auto 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
  ol { list-style: none; margin: 0; padding: 0; }
  li + li { border-top: 1px solid var(--line); }
  .mail { display: grid; grid-template: "to at" "subject subject" / 1fr auto; gap: 0 1rem; padding: .7rem 1.25rem; }
  .mail:hover { background: var(--desk); }
  .mail span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .to { grid-area: to; } .subject { grid-area: subject; font-weight: 600; } time { font-variant-numeric: tabular-nums; }
  .at { grid-area: at; }
  .none, .more { padding: 2rem 1.25rem; text-align: center; }
  .more { padding: .9rem; border-top: 1px solid var(--line); } .more a { color: var(--accent); font-weight: 600; }
  header { padding: 1.1rem 1.25rem .9rem; }
  header h2 { margin: 0 0 .5rem; font-size: 1.3rem; line-height: 1.3; overflow-wrap: anywhere; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: 0; }
  dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
  .tabs > input { position: absolute; opacity: 0; pointer-events: none; }
  .tabs > label { display: inline-block; padding: .5rem 1.25rem; color: var(--soft); font-weight: 600; cursor: pointer; border-bottom: 2px solid transparent; }
  .tabs > input:checked + label { color: var(--accent); border-color: var(--accent); }
  .tabs > input:focus-visible + label { outline: 2px solid var(--accent); outline-offset: -2px; }
  .panes { border-top: 1px solid var(--line); margin-top: -1px; }
  .panes > * { display: none; }
  #html:checked ~ .panes .html, #text:checked ~ .panes .text, #headers:checked ~ .panes .headers { display: block; }
  iframe { width: 100%; height: 75vh; border: 0; background: #fff; color-scheme: light; }
  pre { margin: 0; padding: 1.25rem; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.55 ui-monospace, monospace; }
  .headers dl { padding: 1.25rem; font: 14px/1.55 ui-monospace, monospace; }
  .headers dd { margin-bottom: .35rem; }
  @media (min-width: 48rem) {
    .top { padding: 1.5rem .25rem 1rem; }
    .mail { grid-template: "to subject at" / 17rem 1fr auto; align-items: baseline; }
  }
  @media (max-width: 62rem) { main { border-width: 1px 0; border-radius: 0; } }
  @media (max-width: 30rem) { .headers dl { display: block; } .tabs > label { padding: .5rem .9rem; } }
`;

type Markup = ReturnType<typeof html>;

async function page(title: string, body: Markup): Promise<string> {
  return String(
    await html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          <link rel="icon" href="data:," />
          <style>
            ${raw(STYLE)}
          </style>
        </head>
        <body>
          ${body}
        </body>
      </html>`,
  );
}

function timeOf(at: Date | null): Markup | string {
  if (at === null) return '';
  const iso = at.toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)}</time>`;
}

/** The list of mails, the newest first. */
export function listPage(given: {
  shopName: string;
  total: number;
  /** So many newer ones are on the pages before. */
  from: number;
  heads: readonly MailHead[];
  next: string | null;
  path: string;
}): Promise<string> {
  const { shopName, total, from, heads, next, path } = given;
  const item = ({ id, subject, to, at }: MailHead) =>
    html`<li>
      <a class="mail" href="${path}/${id}">
        <span class="to">${to}</span><span class="subject">${subject === '' ? '(no subject)' : subject}</span
        ><span class="at soft">${timeOf(at)}</span>
      </a>
    </li>`;
  const count = `${total} ${total === 1 ? 'email' : 'emails'}, times in UTC`;
  return page(
    `Mailbox – ${shopName}`,
    html`<div class="top">
        <h1>${from === 0 ? 'Mailbox' : html`<a href="${path}">← Newest</a>`}</h1>
        <span class="soft">${count}</span>
      </div>
      <main>
        ${
          heads.length === 0
            ? html`<p class="none soft">
                No emails yet. While SMTP_URL is not set, emails are kept here instead of being sent.
              </p>`
            : html`<ol>
                ${heads.map(item)}
              </ol>`
        }
        ${next === null ? '' : html`<div class="more"><a href="${next}">Older emails</a></div>`}
      </main>`,
  );
}

/** One mail: its HTML in a frame in which nothing runs, its text, its headers. */
export function mailPage(given: {
  shopName: string;
  head: MailHead;
  html: string | null;
  text: string | null;
  headers: readonly { key: string; originalKey?: string; value: string }[];
  path: string;
}): Promise<string> {
  const { shopName, head, text, headers, path } = given;
  const { subject, from, to, at } = head;
  // Its links open beside the mailbox: the frame itself goes nowhere.
  const framed = given.html === null ? null : `<base target="_blank">${given.html}`;
  const tab = (name: string, label: string, checked: boolean) =>
    html`<input type="radio" name="tab" id="${name}" ${checked ? raw('checked') : ''} /><label for="${name}"
        >${label}</label
      >`;
  return page(
    `${subject} – ${shopName}`,
    html`<div class="top"><a href="${path}">← Mailbox</a></div>
      <main>
        <header>
          <h2>${subject === '' ? '(no subject)' : subject}</h2>
          <dl>
            <dt>From</dt>
            <dd>${from}</dd>
            <dt>To</dt>
            <dd>${to}</dd>
            <dt>Date</dt>
            <dd>${timeOf(at)} UTC</dd>
          </dl>
        </header>
        <div class="tabs">
          ${tab('html', 'HTML', framed !== null)} ${tab('text', 'Text', framed === null)}
          ${tab('headers', 'Headers', false)}
          <div class="panes">
            <div class="html">
              ${
                framed === null
                  ? html`<p class="none soft">This email has no HTML part.</p>`
                  : html`<iframe
                      title="The mail"
                      sandbox="allow-popups allow-popups-to-escape-sandbox"
                      srcdoc="${framed}"
                    ></iframe>`
              }
            </div>
            <div class="text">
              ${text === null ? html`<p class="none soft">This email has no text part.</p>` : html`<pre>${text}</pre>`}
            </div>
            <div class="headers">
              <dl>
                ${headers.map(
                  ({ key, originalKey, value }) =>
                    html`<dt>${originalKey ?? key}</dt>
                      <dd>${value}</dd>`,
                )}
              </dl>
            </div>
          </div>
        </div>
      </main>`,
  );
}

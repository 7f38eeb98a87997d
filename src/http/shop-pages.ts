import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { html, raw } from 'hono/html';
import { answerPage, type Html } from './html.ts';
import { isPageVisit } from './visit.ts';

/*
 * Plain pages for people who open an address of the shop in a browser: what runs where, faults, and the log-in of staff.
 */

/** Where staff log in to see pages that are not public. */
export const LOG_IN_PATH = '/staff/log-in';

const TITLES: Readonly<Record<number, string>> = {
  401: 'Login required',
  403: 'Access denied',
  404: 'Page not found',
  405: 'Read-only page',
  503: 'The shop is not ready',
};

/**
 * Gives a fault that was written as JSON the form of a page, where a person asked in a browser.
 * @param response the answer as programs get it; a fault has its text in `error`
 */
export async function readable(response: Response, incoming: IncomingMessage, shopName: string): Promise<Response> {
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  if (response.status < 400 || !isJson || !isPageVisit(incoming)) return response;
  const { error } = (await response.json()) as { error?: string };
  const to = encodeURIComponent(new URL(incoming.url ?? '/', 'http://shop').pathname);
  const page = await answerPage(response.status, {
    shopName,
    title: TITLES[response.status] ?? 'Something went wrong',
    body: html`<p>${error ?? 'The request could not be processed.'}</p>
      ${
        response.status === 401 || response.status === 403
          ? html`<p><a href="${LOG_IN_PATH}?to=${to}">Log in as staff</a></p>`
          : html`<p><a href="/">Back to the shop</a></p>`
      }`,
  });
  for (const name of ['allow', 'retry-after']) {
    const value = response.headers.get(name);
    if (value !== null) page.headers.set(name, value);
  }
  return page;
}

/** What this process serves, by path. */
export interface Served {
  graphiql: boolean;
  queues: boolean;
  mailbox: boolean;
}

/** The page at `/`: what runs where. */
export function frontPage(shopName: string, { graphiql, queues, mailbox }: Served): Promise<Response> {
  const rows: [string, string][] = [
    ['/graphql', graphiql ? 'the GraphQL API, and GraphiQL in a browser' : 'the GraphQL API'],
    ['/health/ready', 'readiness of this node'],
    ...(mailbox ? ([['/mailbox', 'emails sent by this shop']] as [string, string][]) : []),
    ...(queues ? ([['/queues', 'job queues, admins only']] as [string, string][]) : []),
    [LOG_IN_PATH, 'staff login for these pages'],
  ];
  return answerPage(200, {
    shopName,
    title: 'API of this shop',
    body: html`<table>
        ${rows.map(
          ([path, what]) =>
            html`<tr>
              <td><a href="${path}">${path}</a></td>
              <td>${what}</td>
            </tr>`,
        )}
      </table>
      <p class="quiet">WebSocket clients connect to /graphql with the subprotocol graphql-transport-ws.</p>`,
  });
}

/** The page at `/graphql` in a browser, where GraphiQL is off. */
export function graphqlPage(shopName: string): Promise<Response> {
  return answerPage(200, {
    shopName,
    title: 'GraphQL API',
    body: html`<p>Clients send operations to this URL, as JSON by POST.</p>
      <p class="quiet">GraphiQL is disabled in production. Set GRAPHIQL=on to enable it.</p>
      <p><a href="/">Overview</a></p>`,
  });
}

const LOG_IN_SCRIPT = `
const form = document.querySelector('form');
const fault = document.querySelector('.wrong');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  fault.hidden = true;
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { user { id } errors { message } } }';
  const input = { email: form.email.value, password: form.password.value };
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = await response.json();
    const refusal = errors?.[0] ?? data.login.errors[0];
    if (refusal) throw new Error(refusal.message);
    location.replace(form.dataset.to);
  } catch (error) {
    fault.textContent = error.message;
    fault.hidden = false;
  }
});
`;
const LOG_IN_POLICY = `script-src 'sha256-${createHash('sha256').update(LOG_IN_SCRIPT).digest('base64')}'; connect-src 'self'`;
const SCRIPT_ELEMENT: Html = raw(`<script type="module">${LOG_IN_SCRIPT}</script>`);

/** Only a path of this shop: `//elsewhere` and `/\elsewhere` lead to another one. */
function ownPath(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\w./-]*$/.test(to) ? to : '/';
}

/**
 * The page where staff log in, by the API's own `login`, with its limits and its cookies.
 * @param to the path to go to afterwards; anything else than a path of this shop leads to `/`
 */
export function logInPage(shopName: string, to: string | undefined): Promise<Response> {
  return answerPage(200, {
    shopName,
    title: 'Log in',
    policy: LOG_IN_POLICY,
    body: html`<p class="wrong" role="alert" hidden></p>
      <form data-to="${ownPath(to)}">
        <label>Email <input type="email" name="email" autocomplete="username" required /></label>
        <label>Password <input type="password" name="password" autocomplete="current-password" required /></label>
        <button>Log in</button>
      </form>
      <noscript><p>This page needs JavaScript.</p></noscript>
      ${SCRIPT_ELEMENT}`,
  });
}
